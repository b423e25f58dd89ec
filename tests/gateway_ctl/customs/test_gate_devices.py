"""What customs wants of a lane beside an answer: seals, trackers, devices, pictures; and what it is told unasked."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway_ctl.customs.gate import Terms
from gateway_ctl.customs.packet import Photo
from gateway_ctl.orders import Verb
from tests.gateway_ctl.customs.front import (
    BARRIER,
    CLEAN,
    SCALE,
    admitted,
    answer,
    command,
    crossing,
    framed,
    quiet,
    send,
    staged,
)


async def test_devices_first_and_then_the_release(tmp_path: Path) -> None:
    worked: list[tuple[str, ...]] = []

    class Lane:
        async def seal(self, number: str, key: str, *, lock: bool) -> bool:
            worked.append((number, key, str(lock)))
            return True

        async def tracker(self, number: str, *, start: bool) -> bool:
            worked.append((number, str(start)))
            return True

    async with staged(tmp_path, hands=Lane()) as stage:
        held = await stage.answered("V1" + "0" * 18, hint="等待施封")
        assert held.verb is Verb.HOLD
        seq = stage.front.of(0x21)[0].seq
        seal = "<SEAL><ESEAL_ID>12900095</ESEAL_ID><SEAL_KEY>4159344504</SEAL_KEY></SEAL><GPS><GPS_ID>G1</GPS_ID></GPS>"
        order = framed(0x31, command(seq, "<EXCUTE_COMMAND>00000001100000000000</EXCUTE_COMMAND>", seal))
        await send(stage.port, order)
        done = await stage.front.next(0x32)
        assert (done.seq, done.says("EXECUTE_RESULT")) == (seq, CLEAN)
        assert worked == [("12900095", "4159344504", "True"), ("G1", "True")]
        assert await stage.gate.newer("L01-1", held.id) is None, "an order to devices releases nothing"
        await send(stage.port, order)
        assert (await stage.front.next(0x32)).raw == done.raw
        assert len(worked) == 2, "said twice, done once"
        await send(stage.port, answer(seq))
        assert admitted(await stage.gate.newer("L01-1", held.id)).verb is Verb.RELEASE


async def test_a_lane_without_seal_and_tracker_says_so(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.answered("V1" + "0" * 18)
        seq = stage.front.of(0x21)[0].seq
        await send(stage.port, framed(0x31, command(seq, "<EXCUTE_COMMAND>00000002200000000000</EXCUTE_COMMAND>")))
        assert (await stage.front.next(0x32)).says("EXECUTE_RESULT") == "9000000" + "99" + "0" * 11
        assert "电子关锁、GPS操作失败" in str((await stage.front.next(0x43)).says("EXCEPTION_DESCR"))


async def test_a_lift_ordered_by_0x31_is_an_order_like_any_other(tmp_path: Path) -> None:
    """Whatever OP_TYPE says: senders contradict themselves there."""
    async with staged(tmp_path) as stage:
        held = await stage.answered("11" + "0" * 18)
        seq = stage.front.of(0x21)[0].seq
        xml = command(
            seq, f"<EXCUTE_COMMAND>{CLEAN}</EXCUTE_COMMAND><OP_TYPE>2</OP_TYPE><OP_REASON>放行抬杆</OP_REASON>"
        )
        await send(stage.port, framed(0x31, xml))
        order = admitted(await stage.gate.newer("L01-1", held.id))
        assert (order.verb, order.reason_zh, order.id) == (Verb.RELEASE, "放行抬杆", f"{seq}-release")
        assert (await stage.front.next(0x32)).says("EXECUTE_RESULT") == CLEAN


@pytest.mark.parametrize(
    ("code", "seq", "word", "why"),
    [
        (0x31, "mine", "02" + "0" * 18, "不能直接落杆"),
        (0x31, "mine", "lift it", "无法读懂"),
        (0x31, "20150406141004114065", CLEAN, "never asked"),
        (0x35, "20150406141004114065", CLEAN, "never asked"),
        (0x35, "", CLEAN, "never asked"),
    ],
)
async def test_what_would_move_the_barrier_otherwise_is_refused_with_its_reason(
    tmp_path: Path, code: int, seq: str, word: str, why: str
) -> None:
    async with staged(tmp_path, devices=(BARRIER,)) as stage:
        held = await stage.answered("11" + "0" * 18)
        mine = stage.front.of(0x21)[0].seq
        seq = mine if seq == "mine" else seq
        await send(stage.port, framed(code, command(seq, f"<EXCUTE_COMMAND>{word}</EXCUTE_COMMAND>")))
        if code == 0x31:
            assert (await stage.front.next(0x32)).says("EXECUTE_RESULT") == "11" + "0" * 18
        else:
            assert (await stage.front.next(0x36)).says("CONTROL_RESULT") == "1"
        assert why in str((await stage.front.next(0x43)).says("EXCEPTION_DESCR"))
        assert await stage.gate.newer("L01-1", held.id) is None


async def test_a_barrier_out_of_use_releases_nothing(tmp_path: Path) -> None:
    def switched(state: int) -> bytes:
        body = f"<DEVICE_ID>16010001</DEVICE_ID><DEVICE_NAME>n</DEVICE_NAME><DEVICE_STATUS>{state}</DEVICE_STATUS>"
        return framed(0x33, command("", body))

    async with staged(tmp_path, devices=(SCALE, BARRIER)) as stage:
        await send(stage.port, switched(0))
        assert (await stage.front.next(0x34)).says("CONTROL_RESULT") == "0"
        held = await stage.answered()
        assert (held.verb, held.reason_zh) == (Verb.HOLD, "海关已停用本道栏杆")
        await send(stage.port, switched(3))
        assert (await stage.front.next(0x34)).says("CONTROL_RESULT") == "0"
        await send(stage.port, answer(stage.front.of(0x21)[0].seq, hint="放行"))
        assert admitted(await stage.gate.newer("L01-1", held.id)).verb is Verb.RELEASE


async def test_a_scale_out_of_use_is_not_told_of(tmp_path: Path) -> None:
    body = "<DEVICE_ID>{}</DEVICE_ID><DEVICE_STATUS>{}</DEVICE_STATUS>"
    async with staged(tmp_path, devices=(SCALE, BARRIER)) as stage:
        for number, state, result in (("15010009", 0, "1"), ("15010001", 7, "1"), ("15010001", 0, "0")):
            await send(stage.port, framed(0x33, command("", body.format(number, state))))
            assert (await stage.front.next(0x34)).says("CONTROL_RESULT") == result
        await stage.answered()
        assert stage.front.of(0x21)[0].says("GROSS_WT") == "0"
    async with staged(tmp_path, devices=(SCALE, BARRIER)) as stage:
        assert "<DEVICE_ID>15010001</DEVICE_ID><DEVICE_NAME>电子地磅</DEVICE_NAME><DEVICE_STATUS>0<" in (
            (await stage.front.next(0x42)).xml
        )


async def test_pictures_on_request(tmp_path: Path) -> None:
    photo = Photo(0x30, b"\xff\xd8picture\xff\xd9")
    async with staged(tmp_path, photos={"L01-1": (photo,)}) as stage:
        await stage.answered()
        seq = stage.front.of(0x21)[0].seq
        await stage.gate.report(crossing())
        await send(stage.port, framed(0x25, command(seq)))
        sent = await stage.front.next(0x26)
        assert sent.seq == seq
        assert photo.jpeg in sent.raw
        await send(stage.port, framed(0x25, command("20150406141004114065")))
        await quiet(stage, 1)


async def test_states_and_exceptions(tmp_path: Path) -> None:
    devices = [SCALE, BARRIER, replace(SCALE, number="1101010001", name="电子车牌读写器", well=False)]
    async with staged(tmp_path, devices=devices, speed=30, terms=Terms(heartbeat_s=60.0)) as stage:
        first = await stage.front.next(0x42)
        assert "<DEVICE_ID>00000000</DEVICE_ID><DEVICE_NAME>前端系统</DEVICE_NAME><DEVICE_STATUS>1<" in first.xml
        assert "<DEVICE_ID>16010001</DEVICE_ID><DEVICE_NAME>电动栏杆</DEVICE_NAME><DEVICE_STATUS>1<" in first.xml
        assert (
            "<DEVICE_ID>1101010001</DEVICE_ID><DEVICE_NAME>电子车牌读写器</DEVICE_NAME><DEVICE_STATUS>2<" in first.xml
        )
        await stage.front.next(0x71)
        devices[1] = replace(BARRIER, well=False)
        wrong = await stage.front.next(0x43)
        assert (wrong.says("DEVICE_ID"), wrong.says("DEVICE_STATUS")) == ("16010001", "2")
        second = await stage.front.next(0x42)
        assert "<DEVICE_NAME>电动栏杆</DEVICE_NAME><DEVICE_STATUS>2<" in second.xml
        assert len(stage.front.of(0x43)) == 1, "what was never well is no news"


async def test_a_receipt_of_the_crossing(tmp_path: Path) -> None:
    async with staged(tmp_path, terms=Terms(receipt=True)) as stage:
        await stage.answered()
        seq = stage.front.of(0x21)[0].seq
        await stage.gate.report(crossing())
        receipt = await stage.front.next(0x28)
        assert (receipt.seq, receipt.says("EXECUTE_RESULT"), receipt.says("ERROR_INFO")) == (seq, CLEAN, "")
