"""One lane with all its instruments on real wires, standing on the lane's ground, and the mishaps that strike them."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, cast

from simulators.barrier import Boom, Movement, Pulse
from simulators.camera import ReadPortal, What
from simulators.clock import SimClock
from simulators.deck import Deck
from simulators.ground import AXLES, FULL, Lamp, Read, Rig
from simulators.lane_io import LaneModule, ModuleKind, Wiring
from simulators.mishaps import Kind
from simulators.rfid import Dialect, SimTag, TagReader
from simulators.sign import TextSign
from simulators.weigh_modbus import ModbusIndicator
from simulators.weighbridge import Indicator
from simulators.world import LaneWorld

UP_DEG, DOWN_DEG = 86.0, 4.0
"""A driver does not see the last degrees."""
TAG_DBM = -52
ZERO_OFF_KG = 340.0
"""Mud, a wedge: far more than a division, far less than a truck."""
CREEP_KG_PER_S = 60.0
"""Three divisions a second: no weighing may settle on it."""
GARBAGE_PER_S = 8.0
HALF_SHARE = 0.1
SWAPPED_SHARE = 0.03
DROPPED_S = 6.0
LATE_BOOM_S = 6.0
STALL_DEG = 35.0
STUCK_AFTER_S = 6.0
"""A stuck loop is mended so long after its truck has gone."""
MENDING_S = 5.0
"""The fitter's way to the boom."""


class _Arm:
    """The boom as a driver sees it."""

    def __init__(self, boom: Boom) -> None:
        self._boom = boom

    @property
    def angle_deg(self) -> float:
        return self._boom.angle_deg

    @property
    def is_up(self) -> bool:
        return self._boom.angle_deg >= UP_DEG

    @property
    def is_down(self) -> bool:
        return self._boom.angle_deg <= DOWN_DEG


def _indicator(clock: SimClock, load_kg: Callable[[], float], lane: Mapping[str, Any], seed: int) -> Indicator:
    told: dict[str, Any] = {
        "seed": seed,
        "max_kg": float(lane.get("max_kg", 100_000)),
        "division_kg": float(lane.get("division_kg", 20)),
        "rate_hz": float(lane.get("weight_hz", 10)),
    }
    if lane.get("deck") == "axle":
        # A small stiff platform, an indicator at its fastest.
        told["deck"], told["filter_s"] = Deck(seed, told["division_kg"], stiffness=4.0), 0.05
    if "weight_map" not in lane:
        return Indicator(clock, load_kg, **told)
    by_modbus: dict[str, Any] = {"map_name": lane["weight_map"], "unit_number": int(lane.get("unit", 1))}
    return ModbusIndicator(clock, load_kg, low_first=bool(lane.get("low_first")), **by_modbus, **told)


class LaneStation:
    """One lane of the plan. `settled` is told of every truck whose visit is over."""

    def __init__(
        self,
        clock: SimClock,
        lane: Mapping[str, Any],
        *,
        seed: int,
        patience_s: float,
        settled: Callable[["LaneStation", Rig], None],
    ) -> None:
        self.id: str = lane["id"]
        self.direction: str = lane.get("direction", "in")
        self._clock = clock
        self._serial = frozenset(cast("Sequence[str]", lane.get("serial", ())))
        self._unit = int(lane.get("unit", 1))
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._creep_since: float | None = None
        self._last_pulse: Pulse | None = None
        self._last_movement_at = 0.0
        self.last: Rig | None = None
        """The truck that came into sight last and is nobody's shadow."""

        self.boom = Boom(clock, rise_s=float(lane.get("rise_s", 2.0)), lower_s=float(lane.get("lower_s", 2.5)))
        ground = AXLES if lane.get("deck") == "axle" else FULL
        self.world = LaneWorld(
            _Arm(self.boom), self._lamp, seed=seed, patience_s=patience_s, now=clock.now(), ground=ground
        )
        self.boom.sense = self.world.sense
        self.module = LaneModule(
            cast("ModuleKind", lane.get("module", "adam-6050")),
            clock,
            self._sense,
            self.boom,
            Wiring(**lane["wiring"]) if lane.get("wiring") else None,
            unit=self._unit,
        )
        self.indicator = _indicator(clock, self._load_kg, lane, seed)
        self._by_modbus = "weight_map" in lane
        self.indicator.power_up(0.0)
        self.tags = TagReader(
            clock, self._tags, dialect=cast("Dialect", lane.get("tag_dialect", "uhf-bb")), rate_hz=4.0, seed=seed
        )
        self.portal = ReadPortal(clock, seed=seed)
        self.sign = TextSign(clock)
        self.world.on_read = self._read
        self.world.on_enter = self._entered
        self.world.on_deck = self._on_deck
        self.world.on_gone = self._gone
        self.world.on_settled = lambda rig: settled(self, rig)

    # wires

    def endpoints(self) -> dict[str, dict[str, Any]]:
        """Bind everything; where each instrument can be reached, in the words of a site file's `link`."""
        baud = {"baud": 9600, "bytesize": 8, "parity": "N", "stopbits": 1}
        links: dict[str, dict[str, Any]] = {}
        for name, device in (
            *((("weighbridge", self.indicator),) if not self._by_modbus else ()),
            ("tags", self.tags),
            ("ocr", self.portal),
            ("sign", self.sign),
        ):
            if name in self._serial:
                links[name] = {"kind": "serial", "device": device.pty(), **baud}
            else:
                host, port = device.tcp()
                links[name] = {"kind": "tcp", "host": host, "port": port}
        by_modbus = (("io", self.module), *((("weighbridge", self.indicator),) if self._by_modbus else ()))
        for name, device in by_modbus:
            if name in self._serial:
                line = {key: value for key, value in baud.items() if key != "bytesize"}
                links[name] = {"kind": "modbus-rtu", "device": device.pty(), **line, "unit": self._unit}
            else:
                host, port = device.tcp()
                links[name] = {"kind": "modbus-tcp", "host": host, "port": port, "unit": self._unit}
        return links

    def lives(self) -> list[Coroutine[Any, Any, None]]:
        """What has to run for the lane to live."""
        return [device.run() for device in (self.boom, self.module, self.indicator, self.tags, self.portal, self.sign)]

    def close(self) -> None:
        """Give ports and ptys back."""
        for device in (self.module, self.indicator, self.tags, self.portal, self.sign):
            device.close()

    # what the instruments see

    def _sense(self) -> dict[str, bool]:
        self.world.advance(self._clock.now())
        return self.world.sense()

    def _load_kg(self) -> float:
        self.world.advance(self._clock.now())
        return self.world.load_kg()

    def _tags(self) -> list[SimTag]:
        return [SimTag(epc=epc, rssi=TAG_DBM) for epc in self.world.tags_in_field()]

    def _lamp(self) -> Lamp:
        return {"red": Lamp.RED, "both": Lamp.RED, "green": Lamp.GREEN}.get(self.module.lamp, Lamp.OFF)

    def _read(self, read: Read) -> None:
        self.portal.push(cast("What", read.what), read.text, read.confidence, read.camera)

    # time

    def tick(self) -> None:
        """Let the ground and the mishaps catch up with the clock."""
        now = self._clock.now()
        self.world.advance(now)
        if self._creep_since is not None:
            self.indicator.faults.drift_kg = CREEP_KG_PER_S * (now - self._creep_since)
        if self._due:
            ripe = [act for at, act in self._due if at <= now]
            self._due = [(at, act) for at, act in self._due if at > now]
            for act in ripe:
                act()

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._due.append((self._clock.now() + seconds, act))

    # mishaps

    def _entered(self, rig: Rig) -> None:
        if rig.truck.follows is None:
            self.last = rig
        mishap = rig.truck.mishap
        match (mishap.kind, mishap.variant) if mishap else (None, ""):
            case (Kind.FROZEN_SCALE, "empty"):
                self.indicator.faults.frozen = True
            case (Kind.SCALE_DRIFT, "zero"):
                self.indicator.faults.drift_kg = ZERO_OFF_KG
            case (Kind.GARBAGE_BYTES, variant):
                self.indicator.faults.garbage_per_s = GARBAGE_PER_S
                self.indicator.faults.half_share = HALF_SHARE
                self.indicator.faults.swap_share = SWAPPED_SHARE if variant == "swapped" else 0.0
            case (Kind.LATE_BOOM, _):
                self.boom.faults.delay_s = LATE_BOOM_S
            case (Kind.BOOM_NEVER_ARRIVES, variant):
                self.boom.faults.dead = variant == "dead"
                self.boom.faults.stall_at_deg = STALL_DEG
            case _:
                pass

    def _on_deck(self, rig: Rig) -> None:
        mishap = rig.truck.mishap
        match (mishap.kind, mishap.variant) if mishap else (None, ""):
            case (Kind.FROZEN_SCALE, "midway"):
                self.indicator.faults.frozen = True
            case (Kind.SCALE_DRIFT, "creep"):
                self._creep_since = self._clock.now()
            case (Kind.DROPPED_CONNECTION, variant):
                device = self.module if variant == "io" else self.indicator
                device.drop()
                self._after(DROPPED_S, device.restore)
            case (Kind.STUCK_LOOP, variant):
                self.world.stick(variant)
            case _:
                pass

    def _gone(self, rig: Rig) -> None:
        """The fault goes with its truck, so that the day can go on."""
        mishap = rig.truck.mishap
        match mishap.kind if mishap else None:
            case Kind.FROZEN_SCALE | Kind.SCALE_DRIFT | Kind.GARBAGE_BYTES:
                faults = self.indicator.faults
                faults.frozen, faults.drift_kg, self._creep_since = False, 0.0, None
                faults.garbage_per_s = faults.half_share = faults.swap_share = 0.0
            case Kind.LATE_BOOM:
                self.boom.faults.delay_s = 0.0
            case Kind.BOOM_NEVER_ARRIVES:
                self.world.barred_until = self._clock.now() + MENDING_S + 1.0
                self._after(MENDING_S, self.boom.repair)
            case Kind.STUCK_LOOP if mishap is not None:
                sensor = mishap.variant
                self.world.barred_until = self._clock.now() + STUCK_AFTER_S + 1.0
                self._after(STUCK_AFTER_S, lambda: self.world.free(sensor))
            case _:
                pass

    def struck(self, plate: str | None) -> Kind | None:
        """What is wrong with the truck that this plate belongs to, or else with the one that came last."""
        rig = self.last
        if plate is not None:
            rig = next((rig for rig in self.world.rigs if rig.truck.plate == plate), rig)
        return None if rig is None or rig.truck.mishap is None else rig.truck.mishap.kind

    # truth

    def moved(self) -> tuple[list[Pulse], list[Movement]]:
        """Pulses and finished movements of the boom since this was asked last: each is told once."""
        pulses: list[Pulse] = []
        for pulse in reversed(self.boom.pulses):
            if pulse is self._last_pulse:
                break
            pulses.append(pulse)
        movements: list[Movement] = []
        for movement in reversed(self.boom.movements):
            if movement.started_at <= self._last_movement_at:
                break
            if movement.ended_at is not None:
                movements.append(movement)
        if pulses:
            self._last_pulse = pulses[0]
        if movements:
            self._last_movement_at = movements[0].started_at
        return pulses[::-1], movements[::-1]

    def forget(self) -> None:
        """An endless day keeps no endless lists."""
        del self.module.changes[:-1000]
        del self.tags.commands[:-1000]
