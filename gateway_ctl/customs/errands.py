"""What customs wants beside an answer: seals and trackers worked, devices switched, pictures; what it is told unasked.

A lift that is ordered here moves nothing: it goes the way of every answer and becomes an order for the interlock, or
it is refused, and customs hears the reason.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from drivers.kinds import Clock
from drivers.readings import Instant
from gateway_ctl.clearance import Gathered
from gateway_ctl.customs.codes import Code, code_name
from gateway_ctl.customs.device_ids import SOFTWARE, Device, device_of
from gateway_ctl.customs.link import Link
from gateway_ctl.customs.messages import (
    Bare,
    ChannelException,
    DeviceAnswer,
    DeviceOrder,
    DeviceOrderDone,
    DeviceStates,
    DeviceSwitch,
    Message,
    Register,
    Registered,
    SmartDeed,
    SmartDeedDone,
    write_message,
)
from gateway_ctl.customs.messages.devices import DeviceState, UserInfo
from gateway_ctl.customs.messages.smart import AnyDone, GpsDone, SealDone
from gateway_ctl.customs.profile import Profile
from gateway_ctl.customs.question import Channel
from gateway_ctl.customs.result_word import Subject, result_of, word_of
from gateway_ctl.customs.store import Store
from gateway_ctl.customs.verdict import Verdict, devices_wanted, of_command
from gateway_ctl.customs.wire import Came
from gateway_ctl.customs.xml_text import write

REPORT_LIFE_S = 86_400.0
"""A receipt or an exception is worth sending for a day."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNow:
    """One device as customs counts it."""

    number: str
    name: str
    well: bool


class Hands(Protocol):
    """What can be done to a truck's seal or tracker when customs orders it. True: done."""

    async def seal(self, number: str, key: str, *, lock: bool) -> bool:
        """Lock or unlock an electronic seal."""
        ...

    async def tracker(self, number: str, *, start: bool) -> bool:
        """Start or close a journey's tracking."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Who this lane is to customs."""

    user: str
    password: str = field(repr=False)
    ip: str = ""
    port: int = 0


@dataclass(slots=True, kw_only=True)
class Number:
    """A SEQ_NO or SESSION_ID that customs may answer."""

    seq: str
    passage: str
    gathered: Gathered
    ends: Instant
    heard: set[str] = field(default_factory=set[str])
    """Digests of what has come to it."""
    done: dict[str, tuple[Code, bytes]] = field(default_factory=dict[str, tuple[Code, bytes]])
    """What was answered to orders to devices, by their digests."""


class Desk(Protocol):
    """Where numbers are kept and answers become orders: the gate's clearance."""

    async def number(self, seq: str) -> Number | str:
        """The open number, or why it is none."""
        ...

    async def keep(self, came: Came, number: Number) -> None:
        """The raw packet into the store, its digest into the book."""
        ...

    async def verdict(self, came: Came, seq: str, verdict: Verdict) -> bool:
        """Whether an answer has become an order, now or before."""
        ...

    def refuse(self, came: Came, why: str) -> None:
        """Counted, kept, logged."""
        ...

    async def note(self, kind: str, body: dict[str, Any]) -> None:
        """Into the lane's book, outside of any passage."""
        ...


class Errands:
    """One lane's."""

    def __init__(
        self,
        *,
        desk: Desk,
        link: Link,
        store: Store,
        clock: Clock,
        channel: Channel,
        profile: Profile,
        life_s: float,
        devices: Callable[[], Iterable[DeviceNow]],
        hands: Hands | None,
    ) -> None:
        """`life_s`: how long an answer to customs is worth sending."""
        self.disabled: frozenset[str] = frozenset()
        """Devices that customs has put out of use."""
        self._desk, self._link, self._store, self._clock = desk, link, store, clock
        self._channel, self._profile, self._life_s = channel, profile, life_s
        self._devices, self._hands = devices, hands
        self._well: frozenset[str] = frozenset()

    async def open(self) -> None:
        """What the store knows."""
        self.disabled = await self._store.disabled()

    @property
    def barrier_disabled(self) -> bool:
        """Nothing is to be released here."""
        return any(device_of(number) is Device.BARRIER for number in self.disabled)

    @property
    def withheld(self) -> frozenset[Device]:
        """Kinds of devices whose readings customs is not told."""
        return frozenset(kind for number in self.disabled if (kind := device_of(number)) is not None)

    async def device_order(self, came: Came, message: DeviceOrder) -> None:
        """0x31, 0x35: seals and trackers are worked; a lift becomes an order like any other answer."""
        deed = came.code == Code.DEVICE_DEED
        current = await self._desk.number(message.seq)
        if isinstance(current, str):
            self._desk.refuse(came, current)
            await self._order_done(message, deed=deed, refused=current)
            return
        if await self._again(came, current):
            return
        word = word_of(message.command)
        code: Code
        refused, failed = "", (False, False)
        if word is None:
            refused = "操作指令无法读懂"
        elif word.at(Subject.BARRIER) == "2":
            refused = "海关不能直接落杆"
        if word is None or refused:
            await self._desk.keep(came, current)
        elif devices_wanted(word):
            # The release comes with the final 0x22, once these are done.
            await self._desk.keep(came, current)
            failed = await self._work(message, word.at(Subject.SEAL), word.at(Subject.GPS))
        elif not await self._desk.verdict(came, message.seq, of_command(message)):
            refused = "指令未被采纳"
        code, xml = await self._order_done(message, deed=deed, refused=refused, failed=failed)
        current.done[came.digest] = (code, xml)

    async def _again(self, came: Came, current: Number) -> bool:
        """Whether this order came before: its answer is sent again, nothing is done again."""
        if came.digest in current.done:
            code, xml = current.done[came.digest]
            await self._link.put(code, xml, seq=current.seq, life_s=self._life_s)
            return True
        return came.digest in current.heard  # it is being done

    async def _work(self, message: DeviceOrder, seal: str, gps: str) -> tuple[bool, bool]:
        """Whether the seal's part and the tracker's part failed."""
        seal_failed = gps_failed = False
        if seal != "0":
            done = seal in "12" and self._hands is not None
            if done and self._hands is not None:
                done = await self._hands.seal(message.seal.number, message.seal.key, lock=seal == "1")
            seal_failed = not done
        if gps != "0":
            done = gps in "12" and self._hands is not None
            if done and self._hands is not None:
                done = await self._hands.tracker(message.gps.tracker, start=gps == "1")
            gps_failed = not done
        return seal_failed, gps_failed

    async def _order_done(
        self, message: DeviceOrder, *, deed: bool, refused: str = "", failed: tuple[bool, bool] = (False, False)
    ) -> tuple[Code, bytes]:
        """0x32 or 0x36; and 0x43 with the reason, for which the answer itself has no place."""
        barrier = self._barrier()
        if deed:
            code = Code.DEVICE_DEED_DONE
            result = "1" if refused else "3" if any(failed) else "0"
            number, name = ("", "") if barrier is None else (barrier.number, barrier.name)
            answer: Message = DeviceAnswer(**self.head(message.seq), device=number, name=name, result=result)
        else:
            code = Code.DEVICE_ORDER_DONE
            word = result_of(seal_failed=failed[0], gps_failed=failed[1], refused=bool(refused))
            answer = DeviceOrderDone(**self.head(message.seq), result=word.text)
        xml = await self.put(code, answer, message.seq, self._life_s)
        if refused:
            _log.warning("customs link: %s %s refused: %s", code_name(code), message.seq, refused)
            await self.exception(
                SOFTWARE if barrier is None else barrier.number, "电动栏杆", f"{message.seq} {refused}"
            )
        elif any(failed):
            what = "、".join(name for name, bad in zip(("电子关锁", "GPS"), failed, strict=True) if bad)
            await self.exception(SOFTWARE, "前端系统", f"{message.seq} {what}操作失败")
        return code, xml

    async def smart_deed(self, came: Came, message: SmartDeed) -> None:
        """0x83. Its barrier is never moved: a release is 0x82's or an officer's 0x85."""
        current = await self._desk.number(message.seq)
        if isinstance(current, str):
            self._desk.refuse(came, current)
            return
        if await self._again(came, current):
            return
        await self._desk.keep(came, current)
        seals: list[SealDone] = []
        for seal in message.seals:
            if seal.number:
                done = seal.deed in ("U", "L") and self._hands is not None
                if done and self._hands is not None:
                    done = await self._hands.seal(seal.number, seal.key, lock=seal.deed == "L")
                result, text = ("1", "") if done else ("2", "本道无法操作电子关锁")
                seals.append(SealDone(number=seal.number, deed=seal.deed, result=result, text=text))
        gps = GpsDone()
        if message.gps.tracker:
            done = self._hands is not None and await self._hands.tracker(message.gps.tracker, start=True)
            result, text = ("1", "") if done else ("2", "本道无法操作GPS")
            gps = GpsDone(tracker=message.gps.tracker, deed="S", result=result, text=text)
        devices = tuple(
            AnyDone(
                kind=each.device[:2], device=each.device, deed=each.deed, result="2",
                text="抬落杆须凭放行指令" if device_of(each.device) is Device.BARRIER else "设备不接受远程操作",
            )
            for each in message.devices
            if each.device
        )  # fmt: skip
        answer = SmartDeedDone(
            area=self._channel.area, channel=self._channel.number, seq=message.seq, gps=gps, seals=tuple(seals),
            devices=devices,
        )  # fmt: skip
        xml = await self.put(Code.SMART_DEED_DONE, answer, message.seq, self._life_s)
        current.done[came.digest] = (Code.SMART_DEED_DONE, xml)

    async def device_switch(self, came: Came, message: DeviceSwitch) -> None:
        """0x33. A device out of use: its readings are withheld from customs; without a barrier nothing is released."""
        known = {device.number: device.name for device in self._devices()}
        result = "1"
        if message.device in known and message.state in ("0", "1", "3"):
            on = message.state != "0"
            await self._store.switch(message.device, came.at, on=on)
            self.disabled = await self._store.disabled()
            said = {"source": "customs", "device": message.device, "on": on, "digest": came.digest}
            await self._desk.note("device", said)
            _log.warning("customs link: customs has put device %s %s use", message.device, "into" if on else "out of")
            result = "0"
        else:
            self._desk.refuse(came, f"device {message.device[:20]!r} or state {message.state[:10]!r} is not known here")
        answer = DeviceAnswer(
            **self.head(""), device=message.device, name=message.name or known.get(message.device, ""), result=result
        )
        await self.put(Code.DEVICE_SWITCH_DONE, answer, message.seq, self._life_s)

    async def pictures(self, came: Came, message: Bare) -> None:
        """0x25 → 0x26."""
        passage = await self._store.passage_of(message.seq) if message.seq else None
        if passage is None:
            self._desk.refuse(came, f"pictures of number {message.seq[:40]!r}, which was never asked")
            return
        answer = Bare(**self.head(message.seq))
        await self.put(Code.PICTURES, answer, message.seq, self._life_s, passage=passage)

    def register(self, who: Registration) -> None:
        message = Register(ip=who.ip, port=str(who.port or ""), user=UserInfo(user=who.user, password=who.password))
        self._link.say(Code.REGISTER, self.xml(message))

    def registered(self, message: Registered) -> None:
        meaning = _REGISTRATION.get(message.result, "not known")
        level = logging.INFO if message.result == "0" else logging.ERROR
        _log.log(level, "customs link: registration: %s (%s)", message.result or "empty", meaning)

    def tell_states(self) -> None:
        """0x42, the program itself first. Naked documents have no code to tell it by: there it is not sent."""
        if not self._profile.framed:
            return
        states = [DeviceState(device=SOFTWARE, name="前端系统", state="1")]
        for device in self._devices():
            state = "0" if device.number in self.disabled else "1" if device.well else "2"
            states.append(DeviceState(device=device.number, name=device.name, state=state))
        message = DeviceStates(
            area=self._channel.area, channel=self._channel.number, direction=self._channel.direction,
            devices=tuple(states),
        )  # fmt: skip
        self._link.say(Code.DEVICE_STATES, self.xml(message))

    async def tell_exceptions(self) -> None:
        """0x43 for each device that was well and is not any more."""
        now = tuple(self._devices())
        for device in now:
            if not device.well and device.number in self._well:
                await self.exception(device.number, device.name, "设备故障或通信中断")
        self._well = frozenset(device.number for device in now if device.well)

    def beat(self) -> None:
        """0x71."""
        if not self._profile.framed:
            return
        self._link.say(Code.HEARTBEAT, self.xml(Bare(**self.head(""))))

    async def exception(self, number: str, name: str, what: str) -> None:
        """Tell customs that something is wrong with a device: 0x43, where there are packets to send it in."""
        if not self._profile.framed:
            return
        message = ChannelException(
            area=self._channel.area, channel=self._channel.number, direction=self._channel.direction, device=number,
            name=name, what=what, state="2",
        )  # fmt: skip
        await self.put(Code.EXCEPTION, message, "", REPORT_LIFE_S)

    def _barrier(self) -> DeviceNow | None:
        return next((each for each in self._devices() if device_of(each.number) is Device.BARRIER), None)

    def head(self, seq: str) -> dict[str, Any]:
        mine = self._channel
        return {"area": mine.area, "channel": mine.number, "direction": mine.direction, "seq": seq}

    async def put(self, code: Code, message: Message, seq: str, life_s: float, passage: str | None = None) -> bytes:
        xml = self.xml(message)
        await self._link.put(code, xml, seq=seq, life_s=life_s, passage=passage)
        return xml

    def xml(self, message: Message) -> bytes:
        return write(write_message(message), self._profile.encoding, self._profile.declaration)

    def local(self) -> datetime:
        """Local time, as customs' numbers and messages have it."""
        return datetime.fromtimestamp(self._clock.now(), UTC).astimezone()


_REGISTRATION = {
    "0": "well", "1": "the site is not known", "2": "the lane is not known", "3": "the direction is wrong",
    "4": "this address is not known", "5": "the user is not known", "6": "the password is wrong",
    "7": "the user may not", "8": "unknown lane", "9": "the lane is disabled", "10": "key", "99": "customs' system",
}  # fmt: skip
