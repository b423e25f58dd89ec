"""The generator of a source as VJ Technologies' speak (IXS series, RS-232, 9600 8N1): STX, text, CR both ways.

    ENBL1 ENBL0   high voltage on, off             VPnnnn   0.1 kV         CPnnnn   uA        PTMnnnn   s of warm-up
    CLR           forget the faults                WDOG0 WDOG1             off, on: silence switches the beam off
    FLT    ->  nine digits with spaces between: regulation, interlock open, cathode over-voltage, anode over-voltage,
               over-temperature, arc, over-current, power limit, over-voltage
    MON    ->  kV with one decimal, uA, degrees with one decimal           STAT  -> 1 beam      PSTAT -> 1 warming up

Commands that only set are not answered. Any fault switches the beam off until CLR. Who may turn the beam on is the
operator with the key (`key`), in the scanner's own room; the wire's ENBL1 is obeyed too, as the maker's is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from simulators.clock import SimClock
from simulators.pipes import Client, OnWire

STX, CR = b"\x02", b"\r"
FAULTS: Final = (
    *("regulation", "interlock", "cathode", "anode", "temperature"),
    *("arc", "current", "power", "voltage"),
)
WATCHDOG_S: Final = 10.0
LONGEST: Final = 64


@dataclass(slots=True)
class SourceFaults:
    """What may go wrong."""

    silent: bool = False
    garbage: bool = False
    """Answers come with a digit missing."""
    latched: set[str] = field(default_factory=set[str])


class Generator(OnWire):
    """One source. `interlocks_closed` is asked at every turn."""

    def __init__(
        self, clock: SimClock, *, interlocks_closed: Callable[[], bool], kv: float = 160.0, ua: int = 1500
    ) -> None:
        super().__init__()
        self.faults = SourceFaults()
        self.heard_commands: list[str] = []
        self.warm_up_s = 30.0
        self.watchdog = False
        self._clock = clock
        self._closed = interlocks_closed
        self._kv, self._ua = kv, ua
        self._enabled = False
        self._warm_at: float | None = clock.now()
        self._last_heard = clock.now()

    @property
    def beam(self) -> bool:
        """Whether there is one. A fault or an open interlock ends it, and it does not come back by itself."""
        if self._enabled and not self._closed():
            self.faults.latched.add("interlock")
        if self._enabled and self.watchdog and self._clock.now() - self._last_heard > WATCHDOG_S:
            self._enabled = False
        if self.faults.latched:
            self._enabled = False
        return self._enabled

    @property
    def warming(self) -> bool:
        """Whether it may not be switched on yet."""
        return self._warm_at is not None and self._clock.now() < self._warm_at

    def warm_up(self) -> None:
        """Power on."""
        self._warm_at = self._clock.now() + self.warm_up_s

    def key(self, *, on: bool) -> bool:
        """The operator's hand. Returns whether there is a beam now."""
        self._enabled = on and not self.warming and self._closed() and not self.faults.latched
        return self.beam

    def clear(self) -> None:
        """The operator has seen the faults."""
        self.faults.latched.clear()

    def heard(self, data: bytes, client: Client) -> None:
        """Whole commands are obeyed."""
        client.pending += data
        del client.pending[:-LONGEST]
        while (end := client.pending.find(CR)) >= 0:
            frame = bytes(client.pending[:end])
            del client.pending[: end + 1]
            start = frame.rfind(STX)
            if start >= 0:
                self._obey(frame[start + 1 :].decode("ascii", "replace"), client)

    def _obey(self, command: str, client: Client) -> None:
        self._last_heard = self._clock.now()
        self.heard_commands.append(command)
        del self.heard_commands[:-1000]
        if self.faults.silent:
            return
        answer = self._answer(command)
        if answer is not None:
            if self.faults.garbage:
                answer = answer[:-1]
            client.send(STX + answer.encode("ascii") + CR)

    def _answer(self, command: str) -> str | None:
        on = self.beam
        match command:
            case "FLT":
                return " ".join("1" if name in self.faults.latched else "0" for name in FAULTS)
            case "MON":
                return f"{self._kv if on else 0.0:05.1f} {self._ua if on else 0:04d} {38.5 if on else 31.0:04.1f}"
            case "STAT":
                return "1" if on else "0"
            case "PSTAT":
                return "1" if self.warming else "0"
            case "ENBL1" | "ENBL0":
                self.key(on=command == "ENBL1")
            case "CLR":
                self.clear()
            case "WDOG0" | "WDOG1":
                self.watchdog = command == "WDOG1"
            case _ if command[:2] in ("VP", "CP") and command[2:].isdigit():
                if command[0] == "V":
                    self._kv = int(command[2:]) / 10
                else:
                    self._ua = int(command[2:])
            case _ if command[:3] == "PTM" and command[3:].isdigit():
                self.warm_up_s = float(command[3:])
            case _:
                pass
        return None
