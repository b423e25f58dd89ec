"""Keeps a link alive: opens it, lets it live, and opens the next one when it has died.

A connection object is used once; everything about "again" is here. The log says lost once and back once; whatever
happens in between is DEBUG. A link counts as up when it has spoken a word, or when it has stood for a second without
complaint (a tag reader says nothing while no tag is near): a serial server that accepts and hangs up at once is down.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import NoReturn, Protocol, TypeVar

from drivers.faults import DriverFault, LinkLost, TheirMistake
from drivers.kinds import Clock
from drivers.readings import Instant, Tally
from telemetry.payloads.health import HealthBody, ZeroHealth

FIRST_RETRY_S = 0.2
"""A cable pulled and pushed, a serial server that swaps clients: gone within that time."""
LINK_RETRY_CAP_S = 1.2
"""One connect attempt costs nothing, and an operator expects a line that has returned to be there within 2 s; a Modbus
line on RS-485 lets late answers pass for half of one first."""
FAULT_RETRY_CAP_S = 10.0
"""What asking again cannot mend (a refusal, a mistake of ours): a person must act; slow enough to read the log."""
STEADY_S = 5.0
"""A life of that length was a good one: the next loss starts from the quick retry again."""
UP_AFTER_S = 1.0
"""An open link without a word and without a fault is taken for up after that; NoAnswer deadlines judge the rest."""

BEATS = 64
"""Intervals that a beat is judged by: six seconds of an indicator, as long as between two healths."""

CLOSE_WITHIN_S = 5.0
"""A port that does not close in that time is left to the system: the next open tells whether it is still held."""

_log = logging.getLogger(__name__)


class Closable(Protocol):
    """What can be opened can be closed; a second call does nothing."""

    async def close(self) -> None:
        """Give the wire back."""
        ...


L = TypeVar("L", bound=Closable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """What the site file says of an instrument's last calibration."""

    calibrated_on: date | None = None
    calibrated_until: date | None = None


class Health:
    """What is known of one instrument's link and stream since the process started, and what the log has said of it.

    The agent makes one for each instrument and tells it of every word (`heard`) and of the driver's counts (`count`);
    `keep` tells it when the link falls. `changed` is called after every change of `up`.
    """

    def __init__(
        self,
        link: str,
        clock: Clock,
        changed: Callable[["Health"], None] | None = None,
        *,
        beats: bool = False,
        care: Care | None = None,
    ) -> None:
        """`beats`: it speaks at even intervals, and how even they are is told."""
        self.name = link
        """As the log names it; `keep` gives the instrument's name."""
        self.link = link
        self.up = False
        self.since: Instant = clock.now()
        self.reconnects = 0
        """How often the link came up again after it had been up."""
        self.last_word_at: Instant | None = None
        self.latency_s: float | None = None
        """Real seconds."""
        self.zero: ZeroHealth | None = None
        self.note = ""
        """The last fault while the link is down."""
        self.standing = ""
        """What a person should know of the instrument while all is well."""
        self._clock = clock
        self._changed = changed
        self._tally = Tally()
        self._before = Tally()
        self._was_up = False
        self._down_since: Instant | None = None
        self._tries = 0
        self._loudly = ""
        self._care = Care() if care is None else care
        self._intervals: deque[float] | None = deque(maxlen=BEATS) if beats else None

    def count(self, tally: Tally) -> None:
        """Counts come from `tally` from now on; those of the lives before are kept."""
        self._before = self._total()
        self._tally = tally

    def heard(self, at: Instant) -> None:
        """A word came: the link is up."""
        if self._intervals is not None and self.up and self.last_word_at is not None:
            self._intervals.append(at - self.last_word_at)
        self.last_word_at = at
        if not self.up:
            self.rise()

    def rise(self) -> None:
        """The link is up."""
        if self.up:
            return
        now = self._clock.now()
        if self._down_since is not None:
            _log.warning("%s: back after %.1f s (try %d)", self.name, now - self._down_since, self._tries + 1)
        self._down_since, self._loudly, self._tries = None, "", 0
        self.reconnects += self._was_up
        self.up, self.since, self.note, self._was_up = True, now, "", True
        if self._changed:
            self._changed(self)

    def fall(self, fault: DriverFault) -> None:
        """The link is down, or still is: first failure WARNING, the rest DEBUG; what a person must mend ERROR, once."""
        now = self._clock.now()
        self.note = str(fault)
        self._tries += 1
        first = self._down_since is None
        if first:
            self._down_since = now
        if not fault.retryable and self.note != self._loudly:
            self._loudly = self.note
            _log.error("%s: lost, and asking again will not mend it, a person must look: %s", self.name, fault)
        elif first:
            _log.warning("%s: lost: %s", self.name, fault)
        else:
            _log.debug("%s: try %d: %s", self.name, self._tries, fault)
        if not self.up:
            return
        self.up, self.since = False, now
        if self._intervals is not None:
            # The pause between two lives is no interval.
            self._intervals.clear()
        if self._changed:
            self._changed(self)

    def body(self) -> HealthBody:
        """As it goes on the wire."""
        total, care = self._total(), self._care
        interval_s = median(self._intervals) if self._intervals else None
        late_s = None if interval_s is None or not self._intervals else max(self._intervals) - interval_s
        return HealthBody(
            link=self.link,
            up=self.up,
            since=self.since,
            words=total.words,
            garbage=total.garbage,
            garbage_bytes=total.garbage_bytes,
            gaps=total.gaps,
            reconnects=self.reconnects,
            last_word_at=self.last_word_at,
            latency_ms=_ms(self.latency_s),
            interval_ms=_ms(interval_s),
            late_ms=_ms(late_s),
            calibrated_on=None if care.calibrated_on is None else care.calibrated_on.isoformat(),
            calibrated_until=None if care.calibrated_until is None else care.calibrated_until.isoformat(),
            zero=self.zero,
            note=self.note or self.standing,
        )

    def _total(self) -> Tally:
        a, b = self._before, self._tally
        return Tally(
            words=a.words + b.words,
            garbage=a.garbage + b.garbage,
            garbage_bytes=a.garbage_bytes + b.garbage_bytes,
            gaps=a.gaps + b.gaps,
        )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


async def keep(
    name: str,
    open_: Callable[[], Awaitable[L]],
    live: Callable[[L], Awaitable[None]],
    clock: Clock,
    report: Health,
    *,
    draw: Callable[[], float] = random.random,
) -> NoReturn:
    """For ever: `open_`, `live` until it ends, close, wait, again. Ends by cancellation only.

    `live` may raise a DriverFault or a group of them (its own TaskGroup); returning means that the other side ended
    the stream. Anything else it raises is a mistake of ours: it goes through (in a group), after the link is closed.
    Waits 0.2 s to 1.2 s (site seconds) after a LinkFault or an answer that is none, up to 10 s after any other fault.
    """
    report.name = name
    failures = 0
    while True:
        began = clock.now()
        try:
            link = await open_()
        except DriverFault as fault:
            ended = fault
        else:
            try:
                ended = await _one_life(name, live, link, clock, report)
            finally:
                await _close(name, link, clock)
        proven = report.up and clock.now() - began >= STEADY_S
        report.fall(ended)
        failures = 1 if proven else failures + 1
        # Nonsense may be another protocol, for ever, or noise on the line: then it ends when the noise does.
        passing = ended.retryable or isinstance(ended, TheirMistake)
        await clock.sleep(retry_after(failures, LINK_RETRY_CAP_S if passing else FAULT_RETRY_CAP_S, draw()))


def retry_after(failures: int, cap_s: float, draw: float) -> float:
    """Seconds to wait after so many failures in a row (1, 2, ..): doubling from 0.2 s to the cap, less up to a quarter.

    `draw` in [0, 1) spreads the lanes of a site, which all lose the same switch at the same moment.
    """
    doublings = min(failures - 1, 16)  # 0.2 s * 2**16 is far above any cap
    return min(FIRST_RETRY_S * 2**doublings, cap_s) * (1 - draw / 4)


async def _one_life(
    name: str, live: Callable[[L], Awaitable[None]], link: L, clock: Clock, report: Health
) -> DriverFault:
    """How it ended. An instrument that can be mended by asking again does not hide one that cannot."""
    faults: list[DriverFault] = []
    async with asyncio.TaskGroup() as group:
        steady = group.create_task(_rise_later(clock, report))
        try:
            await live(link)
        except* DriverFault as caught:
            faults = _leaves(caught)
        finally:
            steady.cancel()
    return min(faults, key=lambda fault: fault.retryable, default=LinkLost(name, "the other side ended the stream"))


async def _close(name: str, link: Closable, clock: Clock) -> None:
    try:
        async with clock.timeout(CLOSE_WITHIN_S):
            await link.close()
    except (DriverFault, TimeoutError) as fault:
        _log.warning("%s: did not close: %s", name, fault or f"still closing after {CLOSE_WITHIN_S} s")


async def _rise_later(clock: Clock, report: Health) -> None:
    await clock.sleep(UP_AFTER_S)
    report.rise()


def _leaves(group: BaseExceptionGroup[DriverFault]) -> list[DriverFault]:
    found: list[DriverFault] = []
    for each in group.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found
