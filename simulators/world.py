"""One lane in time: trucks drive on, stop, wait, cross or back out, and every sensor sees them by their position.

Time is handed in: `advance(now)` steps the place to `now`. Drivers go under the boom when it is up and the lamp is not
red; when nothing opens within their patience they back out over the arrival loop.
"""

from collections import deque
from collections.abc import Callable
from random import Random

from simulators.ground import (
    ARM,
    BOX_CAMERA,
    EXIT,
    FULL,
    LOOP_BOOM,
    PLATE_CAMERA,
    TAG_FIELD,
    ArmView,
    Doing,
    Ground,
    Lamp,
    Read,
    Rig,
    stop_for,
    stops_for,
)
from simulators.identities import misread
from simulators.mishaps import Happened, Kind
from simulators.trucks import Truck

CRUISE_MPS = 3.2
BACKING_MPS = 2.0
ACCELERATION_MPS2 = 0.9
BRAKING_MPS2 = 1.1
STEP_S = 0.05
"""Longest step of the integration: 16 cm at cruising speed, less than any gap between two sensors."""
SHORTEST_STEP_S = 0.02
"""Questions that come closer together than this get the same answer."""
REACTION_S = 0.8
"""From a free way to the truck moving."""
SHADOW_GAP_M = 2.2
"""A tailgater's front behind the rear before it."""
HASTE = 1.8
"""How much harder a hurrying tailgater drives."""
FOLLOW_S = 1.5
"""From a clear lane with its boom down to the next truck coming into sight."""
SETTLE_S = 12.0
"""Lane clear and boom down for so long, and nobody in the queue: nothing more will happen because of this truck."""
STRIKE_DEG = 45.0
"""An arm lower than this touches a truck that stands under it."""
BOOM_PATIENCE_S = 45.0
"""How long the next driver waits for an open boom to come down before driving on to the deck all the same."""
AXLE_STANDS_S = (5.0, 7.0)
"""How long a driver stands with each axle on a short deck."""
CRAWL_MPS = 0.8
"""From one axle to the next."""
READ_AGAIN_S = 4.0
"""A camera reads a standing truck again after so long."""
SURE = (0.93, 0.995)
UNSURE = (0.28, 0.48)
STRAY_MISREAD_SHARE = 0.03
"""Share of right reads before which a wrong one comes, with little confidence."""


def _nothing(*_: object) -> None:
    """Nobody is listening."""


class LaneWorld:
    """The lane. Whoever wants to know what happens sets the `on_...` callbacks."""

    def __init__(
        self, arm: ArmView, lamp: Callable[[], Lamp], *, seed: int, patience_s: float = 25.0, now: float = 0.0,
        ground: Ground = FULL,
    ) -> None:  # fmt: skip
        self._ground = ground
        self._arm = arm
        self._lamp = lamp
        self._seed = seed
        self._patience_s = patience_s
        self._at = now
        self._clear_since: float | None = now
        self._rest_since: float | None = now
        self._unsettled: list[Rig] = []
        self.rigs: list[Rig] = []
        self.queue: deque[Truck] = deque()
        self._stuck: set[str] = set()
        self._sensed: dict[str, bool] | None = None
        self.barred_until = now
        """Nobody drives on before this: somebody is mending something."""
        self.on_read: Callable[[Read], object] = _nothing
        self.on_enter: Callable[[Rig], object] = _nothing
        """A truck comes into sight."""
        self.on_deck: Callable[[Rig], object] = _nothing
        """Its front passes the middle of the deck."""
        self.on_gone: Callable[[Rig], object] = _nothing
        """It has left the lane."""
        self.on_settled: Callable[[Rig], object] = _nothing
        """The lane has come to rest after it, or the next one comes: its truth can be told."""

    # what the instruments ask

    def load_kg(self) -> float:
        """What presses on the deck, in kg."""
        return sum(rig.on_deck_kg() for rig in self.rigs)

    def sense(self) -> dict[str, bool]:
        """The five sensors by position; true = occupied or broken."""
        if self._sensed is None:
            rigs, ground = self.rigs, self._ground
            self._sensed = {
                "loop_arrival": any(rig.over(ground.arrival) for rig in rigs),
                "beam_rear": any(rig.breaks(ground.rear) for rig in rigs),
                "beam_front": any(rig.breaks(ground.front) for rig in rigs),
                "loop_boom": any(rig.over(LOOP_BOOM) for rig in rigs),
                "photocell": any(rig.breaks(ARM) for rig in rigs),
            }
            if ground.short:
                self._sensed["axle_in"] = any(rig.wheel_on(ground.wheel_in) for rig in rigs)
                self._sensed["axle_on"] = any(rig.wheel_on(ground.wheel_on) for rig in rigs)
                self._sensed["axle_out"] = any(rig.wheel_on(ground.wheel_out) for rig in rigs)
            self._sensed |= dict.fromkeys(self._stuck, True)
        return self._sensed

    def stick(self, sensor: str) -> None:
        """It reports occupied from now on, whatever stands there."""
        self._stuck.add(sensor)
        self._sensed = None

    def free(self, sensor: str) -> None:
        """It tells the truth again."""
        self._stuck.discard(sensor)
        self._sensed = None

    def tags_in_field(self) -> list[bytes]:
        """EPCs that the reader's antenna hears now."""
        return [rig.truck.epc for rig in self.rigs if TAG_FIELD[0] < rig.front_m < TAG_FIELD[1]]

    @property
    def idle(self) -> bool:
        """Nobody on the lane, nobody in the queue, all truth told."""
        return not self.rigs and not self.queue and not self._unsettled

    # time

    def advance(self, now: float) -> None:
        """Step the place to `now`; a step back is ignored."""
        if now - self._at < SHORTEST_STEP_S:
            return
        while now - self._at > 1e-9:
            if self.idle:
                self._at = now
                return
            step = min(STEP_S, now - self._at)
            self._at += step
            self._step(step)

    def _step(self, dt: float) -> None:
        self._sensed = None
        self._watch_arm()
        ahead: Rig | None = None
        for rig in self.rigs:
            self._drive(rig, ahead, dt)
            self._sight(rig)
            ahead = rig
        for rig in [rig for rig in self.rigs if rig.doing is Doing.GONE]:
            self.rigs.remove(rig)
            rig.gone_at = self._at
            self._unsettled.append(rig)
            self.on_gone(rig)
        if self.rigs:
            self._clear_since = self._rest_since = None
            self._admit_shadow(self.rigs[-1])
        else:
            self._admit()

    def _watch_arm(self) -> None:
        """An arm that lies on a body, or a body that drives into the arm, is the one thing that must never happen."""
        if self._arm.angle_deg < STRIKE_DEG:
            for rig in self.rigs:
                rig.struck = rig.struck or rig.breaks(ARM)

    def _admit_shadow(self, last: Rig) -> None:
        following = self.queue[0] if self.queue else None
        if following is not None and following.follows == last.truck.number and last.doing is Doing.CROSSING:
            self.queue.popleft()
            rig = self._enter(
                following, front_m=min(last.rear_m - SHADOW_GAP_M, self._ground.queue_head), speed_mps=0.0
            )
            rig.doing = Doing.SHADOWING
            rig.hurries = last.truck.mishap is None or last.truck.mishap.variant != "wide"

    def _admit(self) -> None:
        if self._clear_since is None:
            self._clear_since = self._at
        if not self._arm.is_down and self._at - self._clear_since < BOOM_PATIENCE_S:
            self._rest_since = None
            return
        if self._rest_since is None:
            self._rest_since = self._at
        rested_s = self._at - self._rest_since
        if self._unsettled and rested_s >= (FOLLOW_S if self.queue else SETTLE_S):
            for rig in self._unsettled:
                self.on_settled(rig)
            self._unsettled.clear()
        if not self.queue or rested_s < FOLLOW_S or self._at < self.barred_until:
            return
        truck = self.queue.popleft()
        if truck.follows is None:
            self._enter(truck, front_m=self._ground.start, speed_mps=CRUISE_MPS)
            return
        shadow = self._rig(truck, front_m=self._ground.start, speed_mps=0.0)  # its chance never came
        shadow.gone_at, shadow.doing, shadow.happened = self._at, Doing.GONE, Happened.NEVER_ENTERED
        self.on_settled(shadow)

    def _rig(self, truck: Truck, *, front_m: float, speed_mps: float) -> Rig:
        rng = Random(f"reads {self._seed} {truck.number}")
        stops = stops_for(truck, self._ground) if self._ground.short else [stop_for(truck)]
        return Rig(
            truck=truck, front_m=front_m, stop_m=stops.pop(), rng=rng, speed_mps=speed_mps, approach_at=self._at,
            ground=self._ground, stops=stops,
        )  # fmt: skip

    def _enter(self, truck: Truck, *, front_m: float, speed_mps: float) -> Rig:
        rig = self._rig(truck, front_m=front_m, speed_mps=speed_mps)
        rig.boom_up_on_entry = not self._arm.is_down
        self.rigs.append(rig)
        self.on_enter(rig)
        return rig

    # drivers

    def _drive(self, rig: Rig, ahead: Rig | None, dt: float) -> None:
        match rig.doing:
            case Doing.DRIVING_ON if rig.stops:
                self._to_next_axle(rig, dt)
            case Doing.DRIVING_ON:
                self._towards(rig, rig.stop_m, dt)
                if rig.speed_mps == 0.0:
                    rig.doing, rig.stopped_at, rig.free_since = Doing.WAITING, self._at, None
                    rig.stood_wholly = rig.stood_wholly or rig.wholly_on_deck()
            case Doing.WAITING:
                self._wait(rig)
            case Doing.CROSSING:
                self._cross(rig, dt)
            case Doing.SHADOWING:
                self._shadow(rig, ahead, dt)
            case Doing.BACKING_OUT:
                rig.speed_mps = max(-BACKING_MPS, rig.speed_mps - ACCELERATION_MPS2 * dt)
                rig.front_m += rig.speed_mps * dt
                if rig.front_m < self._ground.give_way:
                    rig.doing, rig.happened = Doing.GONE, Happened.BACKED_OUT
            case Doing.GONE:
                pass

    def _to_next_axle(self, rig: Rig, dt: float) -> None:
        """Stand with one axle on a short deck for a while, then with the next."""
        if rig.stops_until is None:
            self._towards(rig, rig.stops[0], dt)
            if rig.speed_mps == 0.0:
                rig.stops_until = self._at + rig.rng.uniform(*AXLE_STANDS_S)
        elif self._at >= rig.stops_until:
            rig.stops.pop(0)
            rig.stops_until = None

    def _wait(self, rig: Rig) -> None:
        assert rig.stopped_at is not None
        if self._arm.is_up and self._lamp() is not Lamp.RED:
            if rig.free_since is None:
                rig.free_since = self._at
            if self._at - rig.free_since >= REACTION_S:
                rig.doing, rig.moved_at = Doing.CROSSING, self._at
            return
        rig.free_since = None
        if self._at - rig.stopped_at >= self._patience_s:
            rig.doing, rig.moved_at = Doing.BACKING_OUT, self._at

    def _cross(self, rig: Rig, dt: float) -> None:
        braking_m = rig.speed_mps**2 / (2 * BRAKING_MPS2)
        if not self._arm.is_up and rig.front_m + braking_m < ARM - 0.3:
            rig.speed_mps = max(0.0, rig.speed_mps - BRAKING_MPS2 * dt)
            rig.front_m += rig.speed_mps * dt
            if rig.speed_mps == 0.0:
                rig.doing, rig.stopped_at, rig.free_since = Doing.WAITING, self._at, None
            return
        self._towards(rig, EXIT * 2, dt)
        self._note_away(rig, Happened.CROSSED)

    def _shadow(self, rig: Rig, ahead: Rig | None, dt: float) -> None:
        stop_m = rig.front_m + rig.speed_mps**2 / (2 * BRAKING_MPS2)
        if not self._arm.is_up and stop_m < ARM - 0.3:
            if rig.front_m < self._ground.arrival[0]:
                rig.doing, rig.happened = Doing.GONE, Happened.NEVER_ENTERED
            else:
                rig.doing, rig.stop_m = Doing.DRIVING_ON, max(rig.stop_m, stop_m)
            return
        if ahead is None:
            self._towards(rig, EXIT * 2, dt)
        else:
            self._follow(rig, ahead, dt)
        self._note_away(rig, Happened.TAILGATED)

    def _follow(self, rig: Rig, ahead: Rig, dt: float) -> None:
        """Keep the gap to the truck before: its speed, and more the further it is away."""
        haste = HASTE if rig.hurries else 1.0
        left_m = ahead.rear_m - SHADOW_GAP_M - rig.front_m
        wanted = max(0.0, min(CRUISE_MPS * haste, ahead.speed_mps + 0.8 * left_m))
        rig.speed_mps = min(wanted, rig.speed_mps + ACCELERATION_MPS2 * haste * dt)
        rig.front_m += rig.speed_mps * dt

    def _note_away(self, rig: Rig, happened: Happened) -> None:
        if rig.rear_m > LOOP_BOOM[1] and rig.crossed_at is None:
            rig.crossed_at, rig.happened = self._at, happened
        if rig.rear_m > EXIT:
            rig.doing = Doing.GONE

    def _towards(self, rig: Rig, goal_m: float, dt: float) -> None:
        """Drive to the goal as fast as a loaded truck may, and stop there. Never backwards."""
        left_m = goal_m - rig.front_m
        if left_m <= 0.01:
            rig.speed_mps = 0.0
            return
        crawls = self._ground.short and rig.doing is Doing.DRIVING_ON and rig.front_m > self._ground.rear
        fastest = CRAWL_MPS if crawls else CRUISE_MPS
        wanted = min(fastest, (2 * BRAKING_MPS2 * left_m) ** 0.5)
        rig.speed_mps = max(0.05, min(wanted, rig.speed_mps + ACCELERATION_MPS2 * dt))
        rig.front_m += min(left_m, rig.speed_mps * dt)

    # eyes

    def _sight(self, rig: Rig) -> None:
        """Note the times a bystander would note, and let the cameras read what passes them."""
        ground = self._ground
        if rig.on_loop_at is None and rig.front_m > ground.arrival[0]:
            rig.on_loop_at = self._at
        if rig.on_deck_at is None and rig.front_m > ground.deck[0]:
            rig.on_deck_at = self._at
        if "deck" not in rig.seen and rig.front_m > ground.deck[1] / 2:
            rig.seen.add("deck")
            self.on_deck(rig)
        if rig.doing not in (Doing.DRIVING_ON, Doing.WAITING, Doing.CROSSING):
            return  # a tailgater's plate is hidden by the truck before it; a truck backing out has been read
        if rig.front_m > PLATE_CAMERA and "plate" not in rig.seen:
            self._read(rig, "plate")
        if rig.front_m > BOX_CAMERA and "container" not in rig.seen:
            self._read(rig, "container")
        if "trailer" not in rig.seen and (rig.doing is Doing.WAITING or rig.rear_m > ground.rear):
            self._read(rig, "trailer")
        if rig.doing is Doing.WAITING and self._at - rig.read_at >= READ_AGAIN_S:
            self._read(rig, "plate")
            self._read(rig, "container")

    def _read(self, rig: Rig, what: str) -> None:
        rig.seen.add(what)
        rig.read_at = self._at
        truck = rig.truck
        match what:
            case "plate":
                self._say(rig, what, truck.plate, "front")
            case "trailer":
                self._say(rig, what, truck.trailer, "rear")
            case _:
                for code in truck.containers:
                    self._say(rig, what, code, "portal")

    def _say(self, rig: Rig, what: str, text: str, camera: str) -> None:
        mishap = rig.truck.mishap
        blind = mishap is not None and mishap.kind is Kind.MISREAD and mishap.variant == what
        if blind or rig.rng.random() < STRAY_MISREAD_SHARE:
            wrong = misread(Random(text), text)
            self.on_read(Read(what=what, text=wrong, confidence=round(rig.rng.uniform(*UNSURE), 3), camera=camera))
        if not blind:
            self.on_read(Read(what=what, text=text, confidence=round(rig.rng.uniform(*SURE), 3), camera=camera))
