"""Bodies of `order`, `verdict`, `correction`: signed bytes as they are, so that the lane verifies what was signed."""

import msgspec


class SealBody(msgspec.Struct, frozen=True, kw_only=True):
    """One signature. Base64 of 64 bytes (Ed25519)."""

    key: str
    signature: str


class OrderBody(msgspec.Struct, frozen=True, kw_only=True):
    """`payload` is base64 of the JSON that the seals cover (gateway_ctl/orders.py)."""

    payload: str
    seals: list[SealBody]


class VerdictBody(OrderBody, frozen=True, kw_only=True):
    """The same, sealed as a verdict (gateway_ctl/inspection.py)."""


class CorrectionBody(OrderBody, frozen=True, kw_only=True):
    """The same, sealed as a correction (gateway_ctl/correction.py)."""
