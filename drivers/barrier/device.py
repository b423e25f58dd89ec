"""The boom's coils: the only code that writes them. Who may call it is gateway_ctl/boom.py's question.

    before    open, close and stop outputs must all read off, or nothing is written
    command   one pulse, written once; by the module itself where it can, else on, then off, and off is always tried
    after     the outputs are read back; what the boom itself does, its limit switches tell

Nothing here repeats a command, toggles, or forces. The barrier's own safety stays in hardware.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

from drivers.barrier import look
from drivers.barrier.config import BarrierConfig
from drivers.barrier.look import Watchdog
from drivers.barrier.registers import COIL_OFF, Movement, Pulse, mismatches, pulses
from drivers.faults import DriverFault, NotConfirmed, OurMistake, Refused
from drivers.kinds import Clock
from drivers.link.modbus import ModbusLink
from drivers.link.modbus_tables import ModuleTable
from drivers.readings import Instant

READ_AGAIN_S: Final = 0.02
"""Site seconds between two looks at an output: relays close within 10 ms, modules scan their outputs as often."""
CLEAR_WITHIN_S: Final = 0.3
"""Site seconds within which an output that was written off must read off; then a person must look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A command is on its way. Whether the boom obeys, its limit switches tell."""

    movement: Movement
    readback: bool
    """Whether the output was seen on while the pulse lasted. False: the module took the command, and no relay moved."""
    at: Instant
    """When the module acknowledged the write."""

    def __str__(self) -> str:
        """For the book."""
        return f"{self.movement}: output {'seen on' if self.readback else 'acknowledged, not seen on'}"


class Barrier:
    """Three destinations: raise, lower, stop. Made for one life of the lane's ModbusLink; who opened it closes it.

    Every movement raises:
    Refused       nothing was written: an output is on already, another movement is being commanded, stop came first,
                  or the module said no
    LinkFault, TheirMistake    nothing was written: the look before the command failed
    NotConfirmed  it is not known whether the command arrived, or whether its output is off again
    OurMistake    nothing was written: `stop` is not wired
    A caller that is cancelled is cancelled when the output is off again: at once, without waiting for the pulse's end.
    """

    def __init__(self, link: ModbusLink, table: ModuleTable, config: BarrierConfig, clock: Clock) -> None:
        """Raises OurMistake when the site asks for what the module cannot do."""
        if wrong := mismatches(table, config):
            raise OurMistake(config.name, "; ".join(wrong))
        self._link = link
        self._table = table
        self._where = config.name
        self._clock = clock
        self._pulses = pulses(table, config)
        self._config = config
        self._door = asyncio.Lock()
        self._moving: asyncio.Event | None = None
        """Of the raise or lower that is being commanded; set, it withdraws the command or ends its pulse."""
        self._stops = 0
        """Stops that are being commanded."""

    async def raise_boom(self) -> Written:
        """One pulse to the open input."""
        return await self._move(Movement.RAISE)

    async def lower_boom(self) -> Written:
        """One pulse to the close input."""
        return await self._move(Movement.LOWER)

    async def stop(self) -> Written:
        """One pulse to the stop input. Goes before everything: what is being commanded is withdrawn or cut short."""
        if Movement.STOP not in self._pulses:
            raise OurMistake(self._where, "stop is not wired")
        self._stops += 1
        if self._moving is not None:
            self._moving.set()
        try:
            return await _to_its_end(self._command(Movement.STOP, asyncio.Event()))
        finally:
            self._stops -= 1

    async def standing(self) -> frozenset[Movement]:
        """The commands whose outputs read on now. After an opening of the link there should be none."""
        return await look.standing(self._link, self._table, self._config)

    async def strays(self) -> list[str]:
        """Settings by which the module would do something of its own, in words."""
        return await look.strays(self._link, self._table)

    async def release(self) -> frozenset[Movement]:
        """Write off, once, to each command output that reads on (a crash or a lost link left it so); what was on.

        Raises NotConfirmed for one that stays on, Refused, LinkFault, TheirMistake.
        """
        async with self._door:
            left_on = await self.standing()
            for movement in left_on:
                await self._link.write_coil_word(self._pulses[movement].seen_at, COIL_OFF)
            for movement in left_on:
                if not await self._reads(self._pulses[movement], CLEAR_WITHIN_S, on=False):
                    raise NotConfirmed(self._where, f"the {movement} output was written off and reads on")
        return left_on

    async def arm_watchdog(self) -> Watchdog | None:
        """Set the module's host watchdog where it takes that from the host, and read it back; None: the table has none.

        The polls of the inputs feed it. Raises NotConfirmed when it does not read on, Refused, LinkFault, TheirMistake.
        """
        watchdog = self._table.watchdog
        if watchdog is None:
            return None
        if watchdog.set_by == "host":
            if watchdog.time_register is not None:
                units = watchdog.time(self._config.watchdog_s)
                await self._link.write_register(watchdog.time_register, units)
                (kept,) = await self._link.read_holding_registers(watchdog.time_register, 1)
                if kept != units:
                    raise NotConfirmed(self._where, f"host watchdog's time was written {units} and reads {kept}")
            await self._link.write_register(watchdog.enable_register, watchdog.enable_value)
        state = await look.watchdog(self._link, self._table)
        if state is None or not state.armed:
            how = "was written on" if watchdog.set_by == "host" else "is to be enabled with the maker's tool"
            raise NotConfirmed(self._where, f"host watchdog {how} and register {watchdog.enable_register} reads off")
        return state

    async def _move(self, movement: Movement) -> Written:
        if self._moving is not None:
            raise Refused(self._where, f"{movement} not written: another movement is being commanded", "busy")
        if self._stops:
            raise Refused(self._where, f"{movement} not written: stop comes first", "stopped")
        withdrawn = self._moving = asyncio.Event()
        try:
            return await _to_its_end(self._command(movement, withdrawn), withdrawn)
        finally:
            self._moving = None

    async def _command(self, movement: Movement, withdrawn: asyncio.Event) -> Written:
        pulse = self._pulses[movement]
        async with self._door:
            if movement is not Movement.STOP:
                if on := await self.standing():
                    raise Refused(self._where, f"{movement} not written: {', '.join(sorted(on))} output is on", "on")
                if withdrawn.is_set():
                    raise Refused(self._where, f"{movement} not written: stop comes first", "stopped")
            fault = await self._write(movement, pulse)
        if not pulse.ends_itself:
            return await self._by_hand(movement, pulse, withdrawn, fault)
        if fault is not None:
            raise self._unsure(movement, fault) from fault
        return await self._seen(movement, pulse)

    async def _by_hand(
        self, movement: Movement, pulse: Pulse, withdrawn: asyncio.Event, fault: DriverFault | None
    ) -> Written:
        """The rest of a pulse that the host must end."""
        ends_at = self._clock.now() + pulse.width_s
        try:
            if fault is not None:
                raise self._unsure(movement, fault) from fault
            written = await self._seen(movement, pulse)
            if (left_s := ends_at - self._clock.now()) > 0:
                await self._hold(left_s, withdrawn)
        finally:
            await self._off(movement, pulse)
        return written

    async def _write(self, movement: Movement, pulse: Pulse) -> DriverFault | None:
        """Once. Raises Refused and OurMistake: nothing was written. Any other fault is returned: who knows."""
        try:
            await self._link.write_coil_word(pulse.address, pulse.word)
        except (Refused, OurMistake):
            raise
        except DriverFault as fault:
            return fault
        except asyncio.CancelledError:  # only the end of the event loop reaches in here
            if not pulse.ends_itself:
                await self._off(movement, pulse)
            raise
        return None

    async def _seen(self, movement: Movement, pulse: Pulse) -> Written:
        at = self._clock.now()
        try:
            seen = await self._reads(pulse, pulse.width_s, on=True)
        except Refused:
            seen = False
        except DriverFault as fault:
            raise NotConfirmed(self._where, f"{movement} was written and not read back: {fault.what}") from fault
        return Written(movement=movement, readback=seen, at=at)

    async def _reads(self, pulse: Pulse, within_s: float, *, on: bool) -> bool:
        """Whether the output is seen `on` before `within_s` site seconds have passed; looks at least once."""
        until = self._clock.now() + within_s
        while True:
            (now_on,) = await self._link.read_coils(pulse.seen_at, 1)
            if now_on == on:
                return True
            if self._clock.now() + READ_AGAIN_S > until:
                return False
            await self._clock.sleep(READ_AGAIN_S)

    async def _hold(self, seconds: float, withdrawn: asyncio.Event) -> None:
        try:
            async with self._clock.timeout(seconds):
                await withdrawn.wait()
        except TimeoutError:
            return

    async def _off(self, movement: Movement, pulse: Pulse) -> None:
        try:
            await self._link.write_coil_word(pulse.address, COIL_OFF)
            if await self._reads(pulse, CLEAR_WITHIN_S, on=False):
                return
        except DriverFault as fault:
            raise NotConfirmed(self._where, f"the {movement} output may still be on: {fault.what}") from fault
        raise NotConfirmed(self._where, f"the {movement} output was written off and reads on")

    def _unsure(self, movement: Movement, fault: DriverFault) -> NotConfirmed:
        return NotConfirmed(self._where, f"not known whether {movement} was written: {fault.what}")


async def _to_its_end(work: Coroutine[Any, Any, Written], withdrawn: asyncio.Event | None = None) -> Written:
    """The result of `work`, which ends even when its caller is cancelled: an output must not be left on.

    The cancellation passes on when `work` is done; `withdrawn` tells it to be quick.
    """
    task = asyncio.get_running_loop().create_task(work)  # a TaskGroup would cancel it together with its caller
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as told:
            cancelled = told
            if withdrawn is not None:
                withdrawn.set()
    if cancelled is not None:
        raise cancelled from (None if task.cancelled() else task.exception())
    return task.result()
