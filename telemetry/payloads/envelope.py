"""What stands around every body on the wire. Types for the browser are generated from these classes."""

from typing import Any, Literal, TypeVar

import msgspec

Q = Literal["good", "uncertain", "bad"]
T = TypeVar("T")


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """`at` is when the thing was so, not when it was sent. `seq` counts a node's records; samples have none."""

    v: Literal[1] = 1
    id: str
    seq: int | None = None
    epoch: str = ""
    """Which numbering `seq` belongs to: another one only after a node has lost its spool. Empty for samples."""
    at: float
    """Instant, UTC seconds."""
    src: str
    """`<node>` or `<node>/<instrument>`."""
    q: Q = "good"
    historical: bool = False
    """Sent late, from the spool: not to be taken for live."""
    body: msgspec.Raw


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(Envelope)


def encode(body: object) -> msgspec.Raw:
    """A body as JSON; Decimal as a number."""
    return msgspec.Raw(_encoder.encode(body))


def wrap(envelope: Envelope) -> bytes:
    """The bytes for the wire."""
    return _encoder.encode(envelope)


def unwrap(data: bytes) -> Envelope:
    """Raises msgspec.DecodeError or msgspec.ValidationError for anything that is not an envelope of version 1."""
    return _decoder.decode(data)


def body(envelope: Envelope, kind: type[T]) -> T:
    """The body as `kind`; raises msgspec.ValidationError. Unknown fields are passed over, missing ones are not."""
    return msgspec.json.decode(envelope.body, type=kind)


def plain(envelope: Envelope) -> Any:
    """The body as dicts and lists."""
    return msgspec.json.decode(envelope.body)
