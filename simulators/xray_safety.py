"""The scanner's interlock chain as an I/O module shows it: twelve contacts to watch, one that the host may close.

Contacts of stops, person detection and dose alarm are closed while all is well, so that a broken wire is an alarm. The
one output, `ready`, is the host's link in the chain: open, the operator's key turns nothing on. Closing it turns
nothing on either.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from simulators.clock import SimClock
from simulators.faults import IoFaults
from simulators.io_maps import Adam6000, By, Outputs
from simulators.modbus import ModbusTcp

SIGNALS: Final = (
    *("key", "beam_on", "interlock_doors", "interlock_barriers"),
    *("estop_desk", "estop_source", "estop_detector", "lamp", "horn", "person", "dose_alarm", "dose_alive"),
)
"""On the inputs in this order."""
CLOSED_WHEN_WELL: Final = ("estop_desk", "estop_source", "estop_detector", "person", "dose_alarm")
READY: Final = "ready"
LONGEST_LOG: Final = 10_000
INPUTS: Final = 12
OUTPUTS: Final = 6


class SafetyModule:
    """One module (ADAM-6050's map). `state`: what is true, by signal; True: pressed, lit, alarmed, or chain closed."""

    def __init__(self, clock: SimClock, state: Callable[[], Mapping[str, bool]]) -> None:
        self.faults = IoFaults()
        self.changes: list[tuple[float, bool]] = []
        """When `ready` was closed and opened."""
        self.stuck: dict[str, bool] = {}
        self._clock = clock
        self._state = state
        self.outputs = Outputs(clock, OUTPUTS, self._switched)
        self._tcp = ModbusTcp(clock, Adam6000(self, 0x6050, INPUTS, OUTPUTS), lambda: self.faults)

    @property
    def ready(self) -> bool:
        """Whether the host's link is closed."""
        return self.outputs.closed[0]

    def tcp(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Serve Modbus TCP. Returns where."""
        return self._tcp.tcp(host, port)

    def contacts(self, count: int) -> Sequence[bool]:
        """As the terminals show them."""
        true = {**self._state(), **self.stuck}
        shown = [bool(true.get(name, False)) != (name in CLOSED_WHEN_WELL) for name in SIGNALS]
        return (shown + [False] * INPUTS)[:count]

    def count(self, channel: int) -> int:
        """The module's counters are not used."""
        del channel
        return 0

    def drop(self) -> None:
        """Pull the cable."""
        self._tcp.drop()

    def restore(self) -> None:
        """Plug it in again."""
        self._tcp.restore()

    def close(self) -> None:
        """Give the port back."""
        self.outputs.cancel_all()
        self._tcp.close()

    def _switched(self, channel: int, closed: bool, by: By) -> None:  # noqa: FBT001 - one relay state
        del by
        if channel == 0:
            self.changes.append((self._clock.now(), closed))
            del self.changes[:-LONGEST_LOG]
