"""`watch`: a live tail of the bus."""

import asyncio
import os
from datetime import UTC, datetime

import msgspec
from rich.text import Text

from edge.commands.run import run_to_signal
from edge.commands.words import err, line, out
from edge.config import Site
from telemetry.inbox import Inbox, Message
from telemetry.mqtt import Bus, SubscribeRefused
from telemetry.payloads.envelope import Envelope, unwrap
from telemetry.topics import BY_WORD, ROOT, Kind, parse

BODY_CAP = 400
"""Characters of a body in a column; `--json` gives all of it."""
INBOX_CEILING = 2000
"""Messages that wait for a slow terminal; older samples go first, and are counted."""
COLOURS = {Kind.SAMPLE: "", Kind.RECORD: "cyan", Kind.STATE: "dim", Kind.ORDER: "magenta"}


def watch(site: Site, topic: str | None, *, as_json: bool) -> None:
    """Until Ctrl-C. Reads only."""
    run_to_signal(lambda: _watch(site, topic or f"{ROOT}/{site.id}/#", as_json=as_json))


async def _watch(site: Site, topic: str, *, as_json: bool) -> None:
    bus = Bus(site.broker, f"watch-{os.getpid()}")
    inbox = Inbox(INBOX_CEILING)
    bus.watch(lambda up: err.print("connected" if up else "the broker is gone; waiting for it", style="dim"))
    try:
        await bus.subscribe(topic, inbox)
    except (SubscribeRefused, ValueError) as refused:
        err.print(str(refused), style="red", markup=False)
        return
    async with asyncio.TaskGroup() as group:
        group.create_task(bus.run())
        err.print(f"{topic} at {site.broker.host}:{site.broker.port}", style="dim", markup=False)
        dropped = 0
        async for message in inbox:
            if as_json:
                line(row(message))
            else:
                out.print(columns(message))
            if inbox.dropped > dropped:
                err.print(f"{inbox.dropped - dropped} samples not shown: the terminal is slow", style="yellow")
                dropped = inbox.dropped


def row(message: Message) -> str:
    """The message as one JSON object: topic, retained or not, and the envelope (or `garbage`, hexadecimal)."""
    head = {"topic": message.topic, "retained": message.retain}
    try:
        envelope = msgspec.to_builtins(msgspec.json.decode(message.payload))
    except msgspec.DecodeError:
        return msgspec.json.encode({**head, "garbage": message.payload.hex()}).decode()
    return msgspec.json.encode({**head, "envelope": envelope}).decode()


def columns(message: Message) -> Text:
    """Time of the reading, who, word, body."""
    address = parse(message.topic)
    try:
        envelope = unwrap(message.payload)
    except (msgspec.DecodeError, msgspec.ValidationError) as wrong:
        return Text(f"{message.topic}  not an envelope: {wrong}", style="red")
    if address is None:
        return Text(f"{message.topic}  {_body(envelope)}", style="yellow")
    style = COLOURS[BY_WORD[address.word].kind]
    who = "/".join(filter(None, (address.node, address.instrument)))
    marks = "".join(("R" if message.retain else " ", "H" if envelope.historical else " ", envelope.q[0]))
    return Text.assemble(
        (f"{_time(envelope.at)} ", "dim"),
        (f"{who:<12} ", "bold"),
        (f"{address.word:<9}", style),
        (f"{marks} ", "red" if envelope.q == "bad" else "dim"),
        (f"#{envelope.seq} " if envelope.seq is not None else "", "dim"),
        (_body(envelope), style),
    )


def _body(envelope: Envelope) -> str:
    text = bytes(envelope.body).decode("utf-8", "replace")
    return text if len(text) <= BODY_CAP else text[: BODY_CAP - 1] + "…"


def _time(at: float) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
    except (OverflowError, ValueError, OSError):
        return f"{at!r:.12}"
