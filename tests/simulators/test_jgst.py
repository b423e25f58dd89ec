"""Simulated customs over real sockets: what a lane sends is a captured sample, what comes back is read byte by byte."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.customs_rules import Gathered
from simulators.jgst import Desk, gate_from
from simulators.jgst_gate import HARMLESS, Manner
from simulators.jgst_packet import FIELD, Form, Noise, Packet, Unpacker, oriented, write
from simulators.jgst_words import Message, read
from tests.simulators.jgst_stage import (
    AREA,
    CHANNEL,
    DEADLINE_S,
    PLATE,
    SEQ,
    TRUCK,
    LaneEnd,
    about,
    gate,
    gathered,
    sample,
    true_soon,
)


@pytest.mark.parametrize("form", [FIELD, Form(identifier=bytes(4)), Form(order="big"), Form(width=4)], ids=str)
async def test_a_fitting_truck_is_released_in_the_lane_s_own_form(form: Form) -> None:
    async with gate() as (customs, lane):
        await lane.send(gathered(form=form))
        (answer,) = await lane.packets()
        assert answer.form == form and answer.code == 0x22
        told = read(answer.xml)
        assert told.attributes == {"AREA_ID": AREA, "CHNL_NO": CHANNEL, "I_E_TYPE": "I", "SEQ_NO": SEQ}
        word = told.first("CHECK_RESULT")
        assert len(word) == 20 and word[:9] == "000000000" and told.first("OP_HINT") == "准予放行"
        (dossier,) = customs.untold("L01")
        assert dossier.as_json()["orders"] == [{"id": f"22 {SEQ}", "verb": "release"}]
        assert customs.untold("L01") == []


@pytest.mark.parametrize(
    ("row", "plate", "place", "letter"),
    [
        ({}, "京A00001", 3, "z"),
        ({"direction": "out"}, PLATE, 3, "z"),
        ({"containers": ["HLXU4074106"]}, PLATE, 3, "z"),
        ({"declared_kg": "30000"}, PLATE, 5, "q"),
        ({"targeting": "inspect"}, PLATE, 3, "w"),
        ({"targeting": "refuse"}, PLATE, 3, "w"),
        ({}, "", 1, "W"),
    ],
)
async def test_what_does_not_fit_has_its_letter_and_never_lifts(
    row: dict[str, Any], plate: str, place: int, letter: str
) -> None:
    async with gate(row=row) as (_, lane):
        await lane.send(gathered(plate=plate))
        word = (await lane.message(0x22)).first("CHECK_RESULT")
        assert word[place - 1] == letter and word[1] == "1" and word[0] not in "0Y"


async def test_a_manner_for_each_passage() -> None:
    for manner in HARMLESS:
        async with gate(manner) as (_, lane):
            await lane.send(gathered())
            count = {Manner.DUPLICATE: 3, Manner.FLOOD: 2}.get(manner, 1)

            def meant(lane: LaneEnd = lane) -> list[Message]:
                packets = [each for each in lane.heard if isinstance(each, Packet) and b"</COMMAND_INFO>" in each.xml]
                return [told for told in (read(each.xml) for each in packets) if told.first("SEQ_NO") == SEQ]

            await lane.until(lambda: len(meant()) == count)  # noqa: B023
            assert all(told.first("CHECK_RESULT").startswith("00") for told in meant())
            assert all(told.first("OP_HINT") == "准予放行" for told in meant())
            forms = {each.form.order for each in lane.heard if isinstance(each, Packet)}
            assert forms == {"big" if manner is Manner.BIG_ENDIAN else "little"}
            assert (manner is Manner.FLOOD) == (len(lane.heard) > 20)


async def test_manners_that_must_never_lift() -> None:
    async with gate() as (customs, lane):
        chosen = Manner.PROPER

        def of(_: Gathered) -> Manner:
            return chosen

        customs.manner = of
        await lane.send(gathered("20260101080000000000"))
        await lane.packets()
        for n, chosen in enumerate(
            (
                Manner.WRONG_SEQUENCE,
                Manner.OTHER_LANE,
                Manner.OTHER_SITE,
                Manner.REPLAYED,
                Manner.NONSENSE,
                Manner.DATABASE,
            )
        ):
            lane.heard.clear()
            sequence = f"2026010108000000010{n}"
            await lane.send(gathered(sequence))
            told = await lane.message(0x22)
            for_it = told.first("SEQ_NO") == sequence and told.attributes["CHNL_NO"] == CHANNEL
            lifts = told.first("CHECK_RESULT").startswith("00") and for_it and told.attributes["AREA_ID"] == AREA
            assert not lifts, chosen
        lane.heard.clear()
        chosen = Manner.CUT
        await lane.send(gathered("20260101080000000111"))
        await lane.until(lambda: any(isinstance(each, Noise) for each in lane.heard))
        assert not [each for each in lane.heard if isinstance(each, Packet)]


async def test_silence_and_lateness() -> None:
    async with gate(Manner.LATE, speed=60.0) as (customs, lane):
        await lane.send(gathered())
        began = customs._clock.now()
        await lane.packets()
        assert customs._clock.now() - began > 6.0
    async with gate(Manner.SILENT) as (customs, lane):
        await lane.send(gathered())
        await lane.send(about("30", 0x42))
        await true_soon(lambda: bool(customs.gates["L01"].devices) and bool(customs.log))
        assert lane.heard == []


async def test_seal_first_then_release() -> None:
    row = {"seal": ["12900095", "4159344504"], "gps": ["GPS1", "3701", "4300"]}
    for result, lifts in (("00000000000000000000", True), ("00000009000000000000", False), ("", True)):
        async with gate(row=row) as (_, lane):
            await lane.send(gathered())
            order = await lane.message(0x31)
            word = order.first("EXCUTE_COMMAND")
            assert word[0] == "V" and word[1] == "1" and word[7] == "2" and word[8] == "2"
            assert (order.first("ESEAL_ID"), order.first("SEAL_KEY"), order.first("GPS_ID")) == (
                "12900095", "4159344504", "GPS1",
            )  # fmt: skip
            done = about("16", 0x32)
            xml = done.xml.decode().replace(
                "<EXECUTE_RESULT></EXECUTE_RESULT>", f"<EXECUTE_RESULT>{result}</EXECUTE_RESULT>"
            )
            await lane.send(Packet(code=0x32, area=AREA, channel=CHANNEL, direction="I", xml=xml.encode() + b"\0"))
            final = (await lane.message(0x22)).first("CHECK_RESULT")
            assert final.startswith("00") is lifts
    async with gate(row=row, speed=1000.0) as (_, lane):
        await lane.send(gathered())
        assert not (await lane.message(0x22)).first("CHECK_RESULT").startswith("00"), "no result is no success"


async def test_an_officer_decides_and_the_same_sequence_is_answered_again() -> None:
    async with gate(row={"targeting": "hold"}) as (customs, lane):
        await lane.send(gathered())
        assert not (await lane.message(0x22)).first("CHECK_RESULT").startswith("00")
        assert [each.passage for each in customs.queue()] == [SEQ]
        assert customs.decide(SEQ, "release") and not customs.decide("unknown", "release")
        await lane.packets(2)
        told = await lane.message(0x22)
        assert told.first("CHECK_RESULT").startswith("00") and told.first("SEQ_NO") == SEQ
        assert customs.queue() == []


async def test_a_rule_targets_a_box_and_a_second_question_replaces_the_first() -> None:
    async with gate() as (customs, lane):
        customs.targeted["HLXU4074106"] = "inspect"
        await lane.send(gathered())
        assert (await lane.message(0x22)).first("CHECK_RESULT")[2] == "w"
        customs.targeted.clear()
        await lane.send(gathered())
        await lane.packets(2)
        assert (await lane.message(0x22)).first("CHECK_RESULT").startswith("00")
        assert customs.log[SEQ].times_asked == 2


async def test_pictures_are_asked_for_and_counted() -> None:
    async with gate(row={"targeting": "inspect"}, pictures_of=("inspect",)) as (customs, lane):
        await lane.send(gathered())
        asked = await lane.message(0x25)
        assert asked.elements == () and asked.first("SEQ_NO") == SEQ
        pictures = oriented([b"\xff\xd8\xff\xd9", b"\xff\xd8\x00\xff\xd9"])
        xml = f'<COMMAND_INFO AREA_ID="{AREA}" CHNL_NO="{CHANNEL}" I_E_TYPE="I" SEQ_NO="{SEQ}">\n</COMMAND_INFO>'
        await lane.send(
            Packet(code=0x26, area=AREA, channel=CHANNEL, direction="I", xml=xml.encode(), pictures=pictures)
        )
        await true_soon(lambda: customs.log[SEQ].pictures == 2)


async def test_the_smart_gate_speaks_in_elements() -> None:
    session = "000220260310120000"
    asked = about("24", 0x81)
    for row, letter in (({}, "Y"), ({"targeting": "hold"}, "M"), ({"targeting": "refuse"}, "N")):
        fits = {"plate": "川X00001", "containers": ["3000000003"], "declared_kg": "1000"} | row
        async with gate(row=fits) as (customs, lane):
            xml = asked.xml.replace(b"<GROSS_WT></GROSS_WT>", b"<GROSS_WT>1000</GROSS_WT>")
            await lane.send(Packet(code=0x81, area=AREA, channel=CHANNEL, direction="I", xml=xml))
            told = await lane.message(0x82)
            assert told.root == "GATHER_FEEDBACK" and told.attributes == {}
            assert (told.first("SESSION_ID"), told.first("CHECK_RESULT")) == (session, letter)
            if letter == "M":
                customs.decide(session, "release", "officer-7")
                check = await lane.message(0x85)
                assert (check.first("CHECK_RESULT"), check.first("OPERATOR_ID")) == ("1", "officer-7")
    seal = {"plate": "川X00001", "containers": ["3000000003"], "declared_kg": "1000", "seal": ["12900095", "k"]}
    async with gate(row=seal) as (_, lane):
        await lane.send(Packet(code=0x81, area=AREA, channel=CHANNEL, direction="I", xml=xml))
        order = await lane.message(0x83)
        assert (order.first("ESEAL_OPERATE"), order.first("ESEAL_KEY")) == ("U", "k") and order.has("DEVIC_ID")
        await lane.send(about("28", 0x84))
        assert (await lane.message(0x82)).first("CHECK_RESULT") == "Y"


async def test_registration_by_the_book() -> None:
    async with gate(users={"gate01": "********"}) as (customs, lane):
        customs.gates["L01"].port = 0
        xml = sample("34").decode().replace("10.0.0.10", "127.0.0.1").replace("8999", str(lane.port))
        hello = Packet(code=0x61, area=AREA, channel=CHANNEL, direction="I", xml=xml.encode())
        await lane.send(hello)
        told = await lane.message(0x62)
        assert (told.first("RESULT"), told.first("USER_ID"), told.first("RIGHTS")) == ("0", "gate01", "2")
        assert told.first("CUSTOMS_CODE") == "3701" and customs.gates["L01"].registered
        for change, result in (("********", "6"), ("gate01", "5")):
            lane.heard.clear()
            wrong = xml.replace(change, "somebody")
            await lane.send(Packet(code=0x61, area=AREA, channel=CHANNEL, direction="I", xml=wrong.encode()))
            assert (await lane.message(0x62)).first("RESULT") == result
        lane.heard.clear()
        await lane.send(Packet(code=0x61, area=AREA, channel=CHANNEL, direction="E", xml=xml.encode()))
        assert (await lane.message(0x62)).first("RESULT") == "3"
        await lane.send(about("36", 0x63), about("38", 0x65))
        assert len((await lane.message(0x64)).first("ENCRYPTED_RANDOM_DATA")) == 32
        assert (await lane.message(0x66)).first("RESULT") == "0"


async def test_states_exceptions_heartbeats_and_what_a_lane_does_not_send() -> None:
    async with gate() as (customs, lane):
        mine = customs.gates["L01"]
        await lane.send(about("30", 0x42), about("31", 0x43), about("17", 0x71), about("17", 0x22), b"noise")
        await true_soon(lambda: len(customs.protests) == 2)
        assert mine.devices == {"15010001": "1", "16010001": "2"}
        assert mine.exceptions[0]["EXCEPTION_DESCR"] == "抬杆超时"
        assert mine.heard == {"42": 1, "43": 1, "71": 1, "22": 1}
        assert "a lane does not send this" in customs.protests[0] and "no head" in customs.protests[1]
        stranger = Packet(code=0x21, area="1", channel="2", direction="I", xml=sample("01"))
        await lane.send(stranger, Packet(code=0x21, area=AREA, channel=CHANNEL, direction="I", xml=b"<no xml"))
        await lane.send(about("16", 0x32))
        await true_soon(lambda: len(customs.protests) == 5)
        assert lane.heard == []


async def test_a_receipt_uses_the_papers_up() -> None:
    async with gate() as (customs, lane):
        await lane.send(gathered())
        await lane.packets()
        await lane.send(about("17", 0x28))
        await true_soon(lambda: customs.log[SEQ].crossing == "crossed")
        await lane.send(gathered("20260101080000000002"))
        await lane.packets(2)
        told = await lane.message(0x22)
        assert told.first("OP_HINT") == "该单证已使用" and told.first("CHECK_RESULT")[2] == "z"


async def test_naked_text_is_answered_naked() -> None:
    async with gate(encoding="gb18030") as (_, lane):
        reader, writer = await asyncio.open_connection(*lane.customs)
        writer.write(gathered().xml)
        writer.write_eof()
        await lane.until(lambda: bool(lane.raw))
        assert lane.raw[0].startswith(b"<?xml") and "准予放行".encode("gb18030") in lane.raw[0]
        assert read(lane.raw[0]).first("CHECK_RESULT").startswith("00")
        writer.close()
        assert await reader.read() == b""


async def test_a_connection_that_is_kept_open_carries_the_answer() -> None:
    async with gate(keep_open=True) as (_, lane):
        reader, writer = await asyncio.open_connection(*lane.customs)
        unpacker = Unpacker()
        for n in range(2):
            writer.write(write(gathered(f"2026010108000000000{n}")))
            async with asyncio.timeout(DEADLINE_S):
                heard: list[Packet | Noise] = []
                while not heard:
                    heard += unpacker.feed(await reader.read(4096))
            assert isinstance(heard[0], Packet) and heard[0].code == 0x22
        writer.close()
        assert lane.heard == []


async def test_nobody_at_the_lane_s_door_is_counted() -> None:
    async with gate() as (customs, lane):
        customs.gates["L01"].port = 1
        await lane.send(gathered())
        await true_soon(lambda: customs.undelivered == 1)


async def test_the_desk_over_http() -> None:
    async with gate(row={"targeting": "hold"}) as (customs, lane):
        desk = Desk(customs)

        def of(_: Gathered) -> Manner:
            return desk.manner

        customs.manner = of
        async with desk.serve() as served, httpx.AsyncClient(base_url=served.url, timeout=10) as client:

            async def post(path: str, **body: object) -> int:
                return (await client.post(path, json=body)).status_code

            await lane.send(gathered())
            await lane.packets()
            seen = (await client.get("/desk")).json()
            assert [row["passage"] for row in seen["queue"]] == [SEQ] and seen["lanes"]["L01"]["heard"] == {"21": 1}
            assert await post(f"/passages/{SEQ}", verb="open sesame") == 400
            assert await post("/passages/none", verb="release") == 404
            assert await post(f"/passages/{SEQ}", verb="release") == 204
            await lane.packets(2)
            assert (await client.get(f"/passages/{SEQ}")).json()["officer"] == "release"
            assert (await client.get("/passages/none")).status_code == 404
            assert await post("/rules", name="HLXU4074106", verb="refuse") == 204
            assert customs.targeted == {"HLXU4074106": "refuse"}
            assert await post("/rules", name="HLXU4074106", verb=None) == 204
            assert await post("/rules", name="x", verb="eat") == 400
            assert await post("/manner", manner="silent") == 204 and desk.manner is Manner.SILENT
            assert await post("/manner", manner="loud") == 400
            assert await post("/lanes/L01/pictures", passage=SEQ) == 204
            assert await post("/lanes/L01/device", id="15010001", name="电子地磅", status=0) == 204
            assert await post("/lanes/L01/operate", word="00000000000000000000", type=0, reason="放行抬杆") == 204
            assert await post("/lanes/L02/device", id="1", status=0) == 404
            assert await post("/lanes/L01/device", id="1") == 400
        assert (await lane.message(0x25)).first("SEQ_NO") == SEQ
        control = await lane.message(0x33)
        assert control.attributes.keys() == {"AREA_ID", "CHNL_NO", "I_E_TYPE"}
        assert (control.first("DEVICE_ID"), control.first("DEVICE_STATUS")) == ("15010001", "0")
        assert (await lane.message(0x35)).first("OP_TYPE") == "0"
        await lane.send(about("33", 0x34), about("33", 0x36))
        await true_soon(lambda: len(customs.gates["L01"].results) == 2)


@pytest.mark.parametrize("text", ["", "L01=1/2/X@h:1", "L01=1/2/I@h", "L01=12345678901/2/I@h:1"])
def test_a_lane_that_is_none(text: str) -> None:
    import argparse

    with pytest.raises(argparse.ArgumentTypeError, match="expected LANE"):
        gate_from(text)


async def test_the_process_says_where_it_listens_and_ends_with_its_stdin(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(TRUCK) + "\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", "jgst", "--manifests", str(rows), "--lane", f"L01={AREA}/{CHANNEL}/I@:1",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin and process.stdout
    async with asyncio.timeout(50):
        ready = json.loads(await process.stdout.readline())["ready"]
        host, port = ready["listens"]
        _, writer = await asyncio.open_connection(host, port)
        writer.write(write(gathered()))
        writer.close()
        async with httpx.AsyncClient(timeout=10) as client:
            await _until_json(client, f"{ready['desk']}/passages/{SEQ}")
        process.stdin.close()
        assert await process.wait() == 0


async def _until_json(client: httpx.AsyncClient, url: str) -> None:
    ask: Callable[[], Awaitable[httpx.Response]] = lambda: client.get(url)  # noqa: E731
    while (await ask()).status_code != 200:
        await asyncio.sleep(0.02)
