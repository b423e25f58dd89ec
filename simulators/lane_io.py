"""The lane's I/O module: inputs for loops, light barriers and limit switches, outputs for the boom and the lamp.

What the module has at which Modbus address is in `simulators.io_maps` and `simulators.io_makers`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from simulators.barrier import Boom
from simulators.clock import SimClock
from simulators.faults import IoFaults
from simulators.io_makers import Adam4150, Brainboxes, MoxaE1214
from simulators.io_maps import Adam6000, By, Outputs, Plain8Ch
from simulators.modbus import Bank, ModbusRtu, ModbusTcp

ModuleKind = Literal[
    "adam-6050",
    "adam-6052",
    "adam-6060",
    "adam-4150",
    "moxa-e1214",
    "plain-8ch",
    "brainboxes-ed-588",
    "brainboxes-ed-538",
]
SIZES: dict[ModuleKind, tuple[int, int]] = {
    "adam-6050": (12, 6),
    "adam-6052": (8, 8),
    "adam-6060": (6, 6),
    "adam-4150": (7, 8),
    "moxa-e1214": (6, 6),
    "plain-8ch": (8, 8),
    "brainboxes-ed-588": (8, 8),
    "brainboxes-ed-538": (8, 4),
}
"""Inputs and outputs of each."""
WATCHES: frozenset[ModuleKind] = frozenset({"adam-6050", "adam-6052", "adam-6060", "adam-4150", "moxa-e1214"})
"""Modules whose outputs open when the host is silent, where the maker's tool has set it so."""
MOVES = ("raise", "lower", "stop")
Lamp = Literal["red", "green", "both", "dark"]
TICK_S = 0.1
LONGEST_LOG = 200_000
"""Changes of the relays kept: some days of a busy lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Which wire is on which screw. Channels count from 0."""

    inputs: Mapping[str, int] = field(
        default_factory=lambda: {
            "loop_arrival": 0,
            "beam_rear": 1,
            "beam_front": 2,
            "loop_boom": 3,
            "photocell": 4,
            "limit_down": 5,
            "limit_up": 6,
            "boom_fault": 7,
        }
    )
    inverted: Sequence[str] = ("boom_fault",)
    """Inputs whose contact is closed when all is well."""
    outputs: Mapping[str, int] = field(
        default_factory=lambda: {"raise": 0, "lower": 1, "stop": 2, "red": 3, "green": 4}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputChange:
    """One relay that opened or closed."""

    at: float
    output: str
    closed: bool
    by: By


def usual_wiring(kind: ModuleKind) -> Wiring:
    """The default wires, as far as the module has screws for them."""
    every, (inputs, outputs) = Wiring(), SIZES[kind]
    wired = {name: channel for name, channel in every.inputs.items() if channel < inputs}
    return Wiring(
        inputs=wired,
        inverted=[name for name in every.inverted if name in wired],
        outputs={name: channel for name, channel in every.outputs.items() if channel < outputs},
    )


class LaneModule:
    """One module, its wires, and the boom on them."""

    def __init__(
        self,
        kind: ModuleKind,
        clock: SimClock,
        sense: Callable[[], Mapping[str, bool]],
        boom: Boom,
        wiring: Wiring | None = None,
        *,
        unit: int = 1,
        watchdog_s: float | None = None,
        faults: IoFaults | None = None,
    ) -> None:
        """`sense`: loops and light barriers by name, True = occupied or broken; the boom's own inputs are added.

        `watchdog_s`: after so long without a request all outputs open, as the maker's tool has set it (`WATCHES`).
        """
        self.faults = IoFaults() if faults is None else faults
        self.wiring = usual_wiring(kind) if wiring is None else wiring
        self.changes: list[OutputChange] = []
        self.watchdog_bites = 0
        self._clock = clock
        self._sense = sense
        self._boom = boom
        self._watchdog_s = watchdog_s if kind in WATCHES else None
        self._input_count, output_count = SIZES[kind]
        self._output_names = {channel: name for name, channel in self.wiring.outputs.items()}
        self._counts: dict[int, int] = {}
        self._contacts: dict[int, bool] = {}
        self.bank = self._map(kind)
        self.outputs = Outputs(clock, output_count, self._switched)
        self._tcp = ModbusTcp(clock, self.bank, lambda: self.faults)
        self._rtu = ModbusRtu(clock, self.bank, lambda: self.faults, unit=unit)

    @property
    def lamp(self) -> Lamp:
        """What the driver sees."""
        red, green = self._output("red"), self._output("green")
        if red and green:
            return "both"
        return "red" if red else "green" if green else "dark"

    @property
    def requests(self) -> int:
        """Requests heard so far."""
        return self._tcp.requests + self._rtu.requests

    def tcp(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Serve Modbus TCP. Returns where."""
        return self._tcp.tcp(host, port)

    def pty(self) -> str:
        """Serve Modbus RTU at the end of a serial cable. Returns the path of the near end."""
        return self._rtu.pty()

    def drop(self) -> None:
        """Pull the cables of the bus; the wires of the field stay."""
        self._tcp.drop()
        self._rtu.drop()

    def restore(self) -> None:
        """Plug them in again."""
        self._tcp.restore()
        self._rtu.restore()

    def inject(self, data: bytes) -> None:
        """Put these very bytes on the bus."""
        self._tcp.inject(data)
        self._rtu.inject(data)

    def close(self) -> None:
        """Give ports and ptys back."""
        self.outputs.cancel_all()
        self._tcp.close()
        self._rtu.close()

    async def run(self) -> None:
        """Count the inputs' edges and mind the watchdog, until cancelled. Requests are answered without it."""
        while True:
            for channel, closed in enumerate(self.contacts(self._input_count)):
                self._count_edge(channel, closed=closed)
            self._mind_host()
            await self._clock.sleep(TICK_S)

    def inputs(self) -> dict[str, bool]:
        """Every wired input by name, True = occupied, broken, reached, fault; stuck ones as they are stuck."""
        sensed = dict(self._sense())
        sensed.setdefault("limit_down", self._boom.limit_down)
        sensed.setdefault("limit_up", self._boom.limit_up)
        sensed.setdefault("boom_fault", self._boom.fault)
        sensed.update(self.faults.stuck)
        return {name: sensed.get(name, False) for name in self.wiring.inputs}

    def contacts(self, count: int) -> Sequence[bool]:
        """Whether current flows into each of the first inputs. A free screw has none."""
        seen = self.inputs()
        closed = [False] * count
        for name, channel in self.wiring.inputs.items():
            closed[channel] = seen[name] != (name in self.wiring.inverted)
        return closed

    def count(self, channel: int) -> int:
        """Closings of this input so far."""
        return self._counts.get(channel, 0)

    def _map(self, kind: ModuleKind) -> Bank:
        inputs, outputs = SIZES[kind]
        match kind:
            case "plain-8ch":
                return Plain8Ch(self)
            case "adam-4150":
                return Adam4150(self, safety=self._watchdog_s is not None)
            case "moxa-e1214":
                return MoxaE1214(self, [self.wiring.outputs[name] for name in MOVES if name in self.wiring.outputs])
            case "brainboxes-ed-588" | "brainboxes-ed-538":
                return Brainboxes(self, outputs)
            case _:
                return Adam6000(self, int(kind.removeprefix("adam-"), 16), inputs, outputs)

    def _output(self, name: str) -> bool:
        channel = self.wiring.outputs.get(name)
        return channel is not None and self.outputs.closed[channel]

    def _switched(self, channel: int, closed: bool, by: By) -> None:  # noqa: FBT001 - one relay state
        name = self._output_names.get(channel, f"output {channel}")
        del self.changes[:-LONGEST_LOG]
        self.changes.append(OutputChange(at=self._clock.now(), output=name, closed=closed, by=by))
        if not self.faults.deaf_outputs:
            self._boom.drive(raise_=self._output("raise"), lower=self._output("lower"), stop=self._output("stop"))

    def _count_edge(self, channel: int, *, closed: bool) -> None:
        if closed and not self._contacts.get(channel, closed):
            self._counts[channel] = self.count(channel) + 1
        self._contacts[channel] = closed

    def _mind_host(self) -> None:
        if self._watchdog_s is None:
            return
        heard_at = max(self._tcp.last_request_at, self._rtu.last_request_at)
        if self._clock.now() - heard_at > self._watchdog_s and any(self.outputs.closed):
            self.watchdog_bites += 1
            if isinstance(self.bank, Adam4150):
                self.bank.fired = True
            for channel in range(len(self.outputs.closed)):
                self.outputs.put(channel, closed=False, by="watchdog")


if __name__ == "__main__":
    import sys

    from simulators.__main__ import main

    main(["lane-io", *sys.argv[1:]])
