"""The door: the only code that drives a barrier. It takes a permit once and moves the boom once.

Order of things: the permit is looked at again on the newest picture; the book says what will be written, on disk; the
permit is looked at once more, because the disk took time; the coil is written, once; the read-back goes into the book;
the movement is done when the limit switch says so. If it never says so, the answer is NOT_CONFIRMED and nothing is
written again. Quaygate is not the safety function: photocell, loop and edge stop the arm in hardware.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Protocol

from drivers.barrier.config import BarrierConfig
from drivers.barrier.device import Barrier
from drivers.faults import DriverFault, LinkFault, NotConfirmed
from drivers.kinds import Clock
from drivers.link.modbus import ModbusLink
from drivers.link.modbus_tables import ModuleTable
from drivers.readings import Instant
from gateway_ctl.book import Book
from gateway_ctl.deeds import Moved, Phase, Progress
from gateway_ctl.interlock import BoomAt, boom_at, withdrawn
from gateway_ctl.lane_state import Event
from gateway_ctl.orders import Movement, Permit
from gateway_ctl.picture import Picture, Rules, Seen
from gateway_ctl.reasons import Reason

TRAVEL_S = 10.0
"""From the coil to the limit switch: the slowest common arm takes 6 s, a sticky relay and a slow poll the rest."""


class Arm(Protocol):
    """What the door needs of a barrier (drivers/barrier/device.py).

    NotConfirmed: it is not known whether the pulse went out. Any other DriverFault: nothing was written.
    """

    async def raise_boom(self) -> object:
        """One pulse on the raise output, read back."""
        ...

    async def lower_boom(self) -> object:
        """One pulse on the lower output, read back."""
        ...

    async def standing(self) -> Collection[object]:
        """Command outputs that read on though nobody is commanding."""
        ...

    async def release(self) -> object:
        """Write the standing ones off: the end of a command, never a movement of its own."""
        ...

    async def arm_watchdog(self) -> "HostWatch | None":
        """See to it that the module itself ends commands when this computer falls silent; None where it does not."""
        ...

    async def strays(self) -> Collection[str]:
        """Settings by which the module would move the boom without us, in words."""
        ...


class HostWatch(Protocol):
    """The module's own watch over its host, armed and read back."""

    @property
    def fired(self) -> bool | None:
        """It has opened the outputs since its flag was last cleared; None where no register tells."""
        ...


def arm(link: ModbusLink, table: ModuleTable, config: BarrierConfig, clock: Clock) -> Arm:
    """The barrier behind a lane's I/O module, for the life of its link. Raises OurMistake."""
    return Barrier(link, table, config, clock)


class Door:
    """One lane's boom."""

    def __init__(
        self,
        *,
        book: Book,
        clock: Clock,
        rules: Rules,
        newest: Callable[[], Picture],
        another: Callable[[], Awaitable[Picture]],
        tell: Callable[[Progress], Awaitable[None]],
        travel_s: float = TRAVEL_S,
    ) -> None:
        """`newest` gives the newest picture, `another` waits for a newer one."""
        self._book, self._clock, self._rules = book, clock, rules
        self._newest, self._another, self._tell, self._travel_s = newest, another, tell, travel_s
        self._arm: Arm | None = None
        # No order is valid for longer than this after it was spent; every picture carries the spent ones.
        self._spent_for_s = 2 * (rules.order_life_s + rules.skew_s)
        self._used: dict[str, Instant] = {}
        self._spent: dict[str, Instant] = {}

    @property
    def spent(self) -> frozenset[str]:
        """Orders that have been used, for as long as they could still be valid."""
        oldest = self._clock.now() - self._spent_for_s
        self._spent = {order: at for order, at in self._spent.items() if at > oldest}
        return frozenset(self._spent)

    def remember(self, orders: frozenset[str]) -> None:
        """Orders that were used without a movement, or that the book says were used before this process started."""
        now = self._clock.now()
        self._spent |= dict.fromkeys(orders, now)

    def attach(self, arm: Arm | None) -> None:
        """The barrier over a link that has just opened; None when the link is lost."""
        self._arm = arm

    async def meet(self, arm: Arm) -> None:
        """A barrier on a link that has just opened. Raises DriverFault, BookShut: it is not driven then.

        A process that died within a pulse may have left a command on. It is ended, and said so in the book; that is
        the one write without a permit, and it takes a command away. The module's watch over this computer is armed,
        where it has one: a boom whose command could outlive us is not driven.
        """
        left = await arm.standing()
        if left:
            said = {"left_on": sorted(str(each) for each in left)}
            await self._book.write("command left on", self._clock.now(), said)
            await arm.release()
        if strays := await arm.strays():
            raise NotConfirmed("boom", "; ".join(strays))
        watch = await arm.arm_watchdog()
        if watch is not None and watch.fired:
            await self._book.write("module let go", self._clock.now(), {"by": "host watchdog"})
        self._arm = arm

    async def move(self, permit: Permit) -> Moved:
        """Carry out a permit, once. What the barrier does is the answer; BookShut passes through and nothing moves."""
        began = self._clock.now()
        arm = self._arm
        reasons = self._taken(permit, began) or withdrawn(permit, self._newest(), began, self._rules)
        if arm is None or reasons:
            return await self._refused(permit, began, reasons or (Reason.INPUTS_STALE,))
        await self._enter(permit, Phase.WRITTEN, began, "about to be written")
        reasons = withdrawn(permit, self._newest(), self._clock.now(), self._rules)
        if arm is not self._arm or reasons:
            return await self._refused(permit, began, reasons or (Reason.INPUTS_STALE,))
        if permit.order is not None:
            self._spent[permit.order] = self._clock.now()
        try:
            read_back = await (arm.raise_boom() if permit.movement is Movement.RAISE else arm.lower_boom())
            note = str(read_back)
        except NotConfirmed as fault:
            # The pulse may or may not have gone out: only the switches can tell, and it is not sent again.
            note = f"{type(fault).__name__}: {fault}"
        except DriverFault as fault:
            # The driver's word for: nothing was written. The order is as good as before.
            if permit.order is not None:
                self._spent.pop(permit.order, None)
            why = Reason.INPUTS_STALE if isinstance(fault, LinkFault) else Reason.BOOM_FAULTY
            await self._enter(permit, Phase.REFUSED, began, f"{type(fault).__name__}: {fault}")
            return Moved(permit.id, Event.WITHDRAWN, (why,))
        await self._enter(permit, Phase.READ_BACK, began, note)
        event = await self._arrived(permit)
        done = event is not Event.NOT_CONFIRMED
        limits = self._newest().inputs
        seen = {"limit_down": limits.limit_down, "limit_up": limits.limit_up, "loop_boom": limits.loop_boom}
        await self._enter(permit, Phase.CONFIRMED if done else Phase.NOT_CONFIRMED, began, event.value, seen)
        return Moved(permit.id, event)

    def _taken(self, permit: Permit, now: Instant) -> tuple[Reason, ...]:
        """A permit that has come to this door is used, whatever becomes of it."""
        self._used = {name: until for name, until in self._used.items() if until > now}
        used = permit.id in self._used
        self._used[permit.id] = permit.expires_at
        return (Reason.PERMIT_USED,) if used else ()

    async def _arrived(self, permit: Permit) -> Event:
        raising = permit.movement is Movement.RAISE
        wanted = BoomAt.UP if raising else BoomAt.DOWN
        left = under = False
        try:
            async with self._clock.timeout(self._travel_s):
                while True:
                    shown = await self._another()
                    at = boom_at(shown, self._clock.now(), self._rules)
                    if at is wanted:
                        return Event.RAISED if raising else Event.LOWERED
                    if at is BoomAt.UP and left:
                        # It was to come down, and turned round on its way: the hardware saw something under it.
                        return Event.RAISED
                    left = left or at is BoomAt.MOVING
                    under = under or bool(shown.inputs.loop_boom.value) or bool(shown.inputs.photocell.value)
        except TimeoutError:
            # Something came under it before it was seen to leave its upper switch, and it is still up: it turned round.
            kept_up = under and not raising and boom_at(self._newest(), self._clock.now(), self._rules) is BoomAt.UP
            return Event.RAISED if kept_up else Event.NOT_CONFIRMED

    async def _refused(self, permit: Permit, began: Instant, reasons: tuple[Reason, ...]) -> Moved:
        await self._enter(permit, Phase.REFUSED, began, " ".join(reason.name for reason in reasons))
        return Moved(permit.id, Event.WITHDRAWN, reasons)

    async def _enter(
        self, permit: Permit, phase: Phase, began: Instant, note: str, seen: Mapping[str, Seen[bool]] | None = None
    ) -> None:
        now = self._clock.now()
        body: dict[str, object] = {
            "permit": permit.id, "order": permit.order, "movement": permit.movement, "by_person": permit.by_person,
            "picture": permit.picture, "phase": phase, "note": note,
        }  # fmt: skip
        if seen is not None:
            body["seen"] = seen
        await self._book.write("boom", now, body, passage=permit.passage)
        await self._tell(Progress(permit=permit, phase=phase, at=now, seconds=now - began, note=note))
