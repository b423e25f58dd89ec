"""The lane signs how far its book is: at its start, at each end of the site's day, and at its own end.

The anchor goes into the book and, as a record, to the recorder: whoever writes the book anew afterwards, or cuts its
tail, must change both, and the recorder need not stand on the lane's machine.
"""

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, time, timedelta

from drivers.kinds import Clock
from drivers.readings import Instant
from edge.config import AnchorsConfig, Site
from edge.mistakes import Mistake, SiteFileWrong
from gateway_ctl.anchor import Anchor, Why, payload
from gateway_ctl.book import Book, BookShut
from gateway_ctl.seal import PrivateKey, attest, load_private, load_public, public_of
from telemetry.config import first_line
from telemetry.faults import SpoolFailed
from telemetry.payloads.lane import AnchorBody
from telemetry.voice import Voice

_log = logging.getLogger(__name__)


def anchor_key(site: Site) -> PrivateKey | None:
    """The key that lanes sign with; None where the site has none. Raises SiteFileWrong."""
    config = site.anchors
    if config is None:
        _log.warning("no [anchors] in the site file: a book whose tail is cut off will not be found out")
        return None
    try:
        private = load_private(first_line(config.key_file))
    except OSError as wrong:
        raise _wrong(config, f"cannot be read: {wrong.strerror}; `quaygate keys new FILE` makes one") from None
    except ValueError:
        raise _wrong(config, "expected a private key as `quaygate keys new FILE` makes it") from None
    if public_of(private) != load_public(config.public):
        raise _wrong(config, "expected the private half of anchors.public; this is another key's")
    return private


@asynccontextmanager
async def anchored(site: Site, lane: str, book: Book, voice: Voice, clock: Clock) -> AsyncGenerator[None]:
    """Anchors the book while the block runs. Without a key: nothing. Raises SiteFileWrong, BookShut, SpoolFailed."""
    key = await asyncio.to_thread(anchor_key, site)
    if key is None:
        yield
        return
    anchors = Anchors(site.id, lane, key, book, voice, clock)
    await anchors.drop(Why.START)
    try:
        async with asyncio.TaskGroup() as group:
            daily = group.create_task(anchors.run())
            yield
            daily.cancel()
    finally:
        with suppress(BookShut, SpoolFailed):  # a disk that has failed is why the lane ends
            await anchors.drop(Why.END)


class Anchors:
    """One lane's. `drop` makes one; `run` makes one a day."""

    def __init__(self, site: str, lane: str, key: PrivateKey, book: Book, voice: Voice, clock: Clock) -> None:
        """Book and spool are open."""
        self._site, self._lane, self._key = site, lane, key
        self._book, self._voice, self._clock = book, voice, clock

    async def run(self) -> None:
        """Until cancelled. Raises BookShut, SpoolFailed."""
        while True:
            now = self._clock.now()
            await self._clock.sleep(day_ends(now) - now)
            await self.drop(Why.DAY, day_of(now))

    async def drop(self, why: Why, day: str | None = None) -> Anchor:
        """Sign the book's head as it is now. Durable in book and spool on return. Raises BookShut, SpoolFailed."""
        now, head = self._clock.now(), self._book.head
        anchor = Anchor(
            site=self._site, lane=self._lane, day=day or day_of(now), at=now,
            entries=head.entries, head=head.head, why=why,
        )  # fmt: skip
        said = payload(anchor)
        signature = attest(said, self._key)
        await self._book.write("anchor", now, {"payload": said, "signature": signature})
        told = AnchorBody(
            entries=anchor.entries,
            head=anchor.head.hex(),
            day=anchor.day,
            why=why.value,
            payload=b64encode(said).decode(),
            signature=b64encode(signature).decode(),
        )
        await self._voice.record("anchor", told, now)
        return anchor


def day_of(at: Instant) -> str:
    """The site's day, by this machine's time zone: `2026-11-23`."""
    return datetime.fromtimestamp(at, UTC).astimezone().date().isoformat()


def day_ends(at: Instant) -> Instant:
    """The midnight after `at`, by this machine's time zone; at least a second away, so that no day ends twice."""
    tomorrow = datetime.fromtimestamp(at + 1.0, UTC).astimezone().date() + timedelta(days=1)
    return Instant(datetime.combine(tomorrow, time()).astimezone().timestamp())


def _wrong(config: AnchorsConfig, expected: str) -> SiteFileWrong:
    said = Mistake(
        file="site file", line=None, key="anchors.key_file", value=f"= {config.key_file.name}", expected=expected
    )
    return SiteFileWrong([said])
