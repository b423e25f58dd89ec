"""The gate's clearance over real sockets: asked and answered, again and late, by the wrong one, at the wrong time."""

import asyncio
import hashlib
import logging
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from gateway_ctl.clearance import ClearanceSilent
from gateway_ctl.customs.gate import Terms
from gateway_ctl.customs.store import frame_of
from gateway_ctl.orders import Verb
from gateway_ctl.picture import Plate
from tests.gateway_ctl.customs.front import (
    AREA,
    CLEAN,
    LANE,
    WITHIN_REAL_S,
    Front,
    admitted,
    answer,
    command,
    crossing,
    framed,
    gathered,
    quiet,
    send,
    staged,
)


async def test_a_question_and_its_answer(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        heard = await stage.front.next(0x21)
        assert heard.raw[9:29] == (AREA + LANE).encode()
        assert heard.says("VE_NAME") == "沪AD3F88"
        assert heard.says("CAR_EC_NO") == "BBA64144"
        assert heard.says("CONTA_ID_F") == "CSQU3054383"
        assert heard.says("GROSS_WT") == "38260"
        assert len(heard.seq) == 20 and heard.seq.isdigit()
        raw = answer(heard.seq)
        await send(stage.port, raw)
        order = admitted(await asking)
        assert order.verb is Verb.RELEASE
        assert (order.site, order.lane, order.passage) == ("qianwan", "L01", "L01-1")
        assert (order.plate, order.containers, order.direction) == ("沪AD3F88", ("CSQU3054383",), "in")
        assert order.reason_zh == "直接放行"
        assert order.id == f"{heard.seq}-release"
        assert order.expires_at - order.issued_at == 120
        digest = hashlib.sha256(raw).hexdigest()
        assert order.evidence == (digest,)
        ((kind, body, passage),) = stage.notes
        assert (kind, body["digest"], body["number"], passage) == ("frame", digest, heard.seq, "L01-1")
        found = frame_of(stage.store, digest)
        assert found is not None
        assert found.raw == raw
    assert (tmp_path / "customs.sqlite").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("word", "verb"),
    [
        (CLEAN, Verb.RELEASE), ("Y", Verb.RELEASE), ("00000000001002000000", Verb.RELEASE), ("N", Verb.REFUSE),
        ("11000000001002000000", Verb.REFUSE), ("V1" + "0" * 18, Verb.HOLD), ("w1w" + "0" * 17, Verb.INSPECT),
        ("x1000x" + "0" * 14, Verb.INSPECT), ("x10000x" + "0" * 13, Verb.REFUSE), ("Z" + "0" * 19, Verb.HOLD),
        ("02" + "0" * 18, Verb.HOLD), ("", Verb.HOLD), ("0" * 19, Verb.HOLD), ("y", Verb.HOLD),
        ("n1" + "0" * 18, Verb.HOLD),
        ("z1z" + "0" * 17, Verb.REFUSE), ("11" + "1" + "0" * 17, Verb.INSPECT),
    ],
)  # fmt: skip
async def test_what_a_word_becomes(tmp_path: Path, word: str, verb: Verb) -> None:
    async with staged(tmp_path) as stage:
        assert (await stage.answered(word)).verb is verb


async def test_the_same_question_again_has_the_same_number_and_the_standing_answer(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        order = await stage.answered()
        assert admitted(await stage.gate.ask(gathered(seq=2))) == order
        assert len(stage.front.of(0x21)) == 1


async def test_a_silent_customs_is_asked_again_under_the_same_number_and_may_answer_late(tmp_path: Path) -> None:
    async with staged(tmp_path, speed=20) as stage:
        with pytest.raises(ClearanceSilent, match="no answer within 5 s"):
            await stage.gate.ask(gathered())
        asking = asyncio.ensure_future(stage.gate.ask(gathered(seq=2)))
        first, second = await stage.front.next(0x21), await stage.front.next(0x21)
        assert first.raw == second.raw
        await send(stage.port, answer(first.seq))
        assert admitted(await asking).verb is Verb.RELEASE


async def test_a_question_is_sent_again_by_itself_and_not_for_ever(tmp_path: Path) -> None:
    terms = Terms(answer_within_s=90.0)
    async with staged(tmp_path, speed=50, terms=terms, way={"resend_s": 5.0, "resends": 3}) as stage:
        with pytest.raises(ClearanceSilent):
            await stage.gate.ask(gathered())
        assert len(stage.front.of(0x21)) == 4
        assert len({heard.raw for heard in stage.front.of(0x21)}) == 1
        assert stage.gate.link.tally.resent == 3


async def test_a_peer_that_is_away_is_silence_with_its_reason(tmp_path: Path) -> None:
    async with staged(tmp_path, way={"port": 1}) as stage:
        with pytest.raises(ClearanceSilent, match="refused"):
            await stage.gate.ask(gathered())
        with pytest.raises(ClearanceSilent):
            await stage.gate.newer("L01-1", None)


async def test_a_receipt_that_a_closing_peer_did_not_close_on_is_sent_again(tmp_path: Path) -> None:
    async with staged(tmp_path, terms=Terms(receipt=True), speed=20.0) as stage:
        order = await stage.answered()
        async with asyncio.timeout(WITHIN_REAL_S):
            while not stage.gate.link._closes:
                await asyncio.sleep(0)
        stage.front.deaf = True
        await stage.gate.report(crossing())
        (item,) = stage.gate.link._items.values()
        async with asyncio.timeout(WITHIN_REAL_S):
            while item.handed == 0:
                await asyncio.sleep(0.005)
        assert stage.gate.link.fault is None and stage.gate.link.unsent == 1, "the link is well for all that"
        stage.front.deaf = False
        assert (await stage.front.next(0x28)).seq == order.id.removesuffix("-release")


async def test_a_peer_that_closes_no_more_is_not_sent_one_receipt_for_ever(tmp_path: Path) -> None:
    async with staged(tmp_path, terms=Terms(receipt=True), speed=20.0, way={"resends": 2}) as stage:
        await stage.answered()
        async with asyncio.timeout(WITHIN_REAL_S):
            while not stage.gate.link._closes:
                await asyncio.sleep(0)
        stage.front.open_ended = True
        await stage.gate.report(crossing())
        async with asyncio.timeout(WITHIN_REAL_S):
            while stage.gate.link.unsent:
                await asyncio.sleep(0.005)
        assert len(stage.front.of(0x28)) == 3


async def test_a_peer_that_never_closes_is_sent_everything_once(tmp_path: Path) -> None:
    front = Front(open_ended=True)
    async with staged(tmp_path, front, terms=Terms(receipt=True), speed=20.0) as stage:
        await stage.answered()
        await stage.gate.report(crossing())
        async with asyncio.timeout(WITHIN_REAL_S):
            while stage.gate.link.unsent:
                await asyncio.sleep(0.005)
        assert len(front.of(0x28)) == 1 and stage.gate.link.fault is None


async def test_what_a_cut_lost_is_sent_when_the_peer_is_back(tmp_path: Path) -> None:
    front = Front()
    cut = [True, True, True]
    front.mood = lambda _: not (cut and cut.pop())
    async with staged(tmp_path, front, terms=Terms(answer_within_s=60.0)) as stage:
        order = await stage.answered()
        assert order.verb is Verb.RELEASE
        assert stage.gate.link.tally.failed >= 1
        assert stage.gate.link.fault is None


async def test_duplicates_change_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        seq = (await stage.front.next(0x21)).seq
        raw = answer(seq)
        await asyncio.gather(*(send(stage.port, raw) for _ in range(5)))
        await send(stage.port, raw + raw, answer(seq, hint="放行"))
        order = admitted(await asking)
        assert await stage.gate.newer("L01-1", order.id) is None
        assert (stage.gate.tally.answers, stage.gate.tally.duplicates) == (1, 7)


async def test_answers_to_other_numbers_are_refused_and_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with staged(tmp_path) as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        seq = (await stage.front.next(0x21)).seq
        for raw in (answer("20150406141004114065"), answer(""), answer(seq, area="3701000009"), answer(seq, lane="1")):
            await send(stage.port, raw)
        await send(stage.port, framed(0x22, command(seq, "<CHECK_RESULT>Y</CHECK_RESULT>"), channel=b"0000000007"))
        await send(stage.port, answer(seq, direction="E"))
        await quiet(stage, 6)
        with pytest.raises(ClearanceSilent):
            await asking
        assert stage.gate.tally.answers == 0
        assert stage.notes == []
    told = caplog.text
    for why in (
        "'20150406141004114065' was never asked",
        "for another site",
        "for another lane",
        "for the other direction",
    ):
        assert why in told
    with sqlite3.connect(tmp_path / "customs.sqlite") as db:
        assert db.execute("SELECT count(*) FROM odd WHERE why LIKE '%refused%'").fetchone() == (6,)
    db.close()


async def test_an_answer_after_its_number_has_run_out_is_refused(tmp_path: Path) -> None:
    async with staged(tmp_path, speed=100, terms=Terms(answer_within_s=5.0, sequence_life_s=30.0)) as stage:
        with pytest.raises(ClearanceSilent):
            await stage.gate.ask(gathered())
        old = (await stage.front.next(0x21)).seq
        await stage.clock.sleep(30)
        await send(stage.port, answer(old))
        await quiet(stage, 1)
        assert stage.gate.tally.answers == 0
        with pytest.raises(ClearanceSilent):
            await stage.gate.ask(gathered(seq=2))
        new = [heard.seq for heard in stage.front.of(0x21) if heard.seq != old]
        assert new


async def test_an_answer_to_a_passage_that_is_over_is_refused(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        old = (await stage.front.next(0x21)).seq
        await stage.gate.report(crossing("left"))
        with pytest.raises(ClearanceSilent, match="over"):
            await asking
        await send(stage.port, answer(old))
        await quiet(stage, 1)
        assert await stage.gate.newer("L01-1", None) is None


async def test_another_truck_ends_the_numbers_of_the_one_before(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        first = asyncio.ensure_future(stage.gate.ask(gathered()))
        old = (await stage.front.next(0x21)).seq
        second = asyncio.ensure_future(stage.gate.ask(gathered(passage="L01-2", plate=Plate("沪B00001", 0.9))))
        new = (await stage.front.next(0x21)).seq
        await send(stage.port, answer(old))
        await quiet(stage, 1)
        await send(stage.port, answer(new))
        order = admitted(await second)
        assert (order.passage, order.plate) == ("L01-2", "沪B00001")
        with pytest.raises(ClearanceSilent):
            await first


async def test_gathered_again_before_an_answer_keeps_the_number(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        first = asyncio.ensure_future(stage.gate.ask(gathered(plate=None, containers=())))
        poor = await stage.front.next(0x21)
        second = asyncio.ensure_future(stage.gate.ask(gathered(seq=2)))
        rich = await stage.front.next(0x21)
        assert rich.seq == poor.seq
        assert (poor.says("VE_NAME"), rich.says("VE_NAME")) == ("", "沪AD3F88")
        await send(stage.port, answer(rich.seq))
        assert admitted(await first) == admitted(await second)
        assert admitted(await second).plate == "沪AD3F88"


@pytest.mark.parametrize("other", [{"plate": Plate("沪B00001", 0.9)}, {"gross_kg": Decimal(31_000)}, {"tags": ("AA",)}])
async def test_what_contradicts_the_question_is_a_new_number(tmp_path: Path, other: dict[str, object]) -> None:
    """An answer that is on its way speaks of what was asked before."""
    async with staged(tmp_path) as stage:
        first = asyncio.ensure_future(stage.gate.ask(gathered()))
        old = (await stage.front.next(0x21)).seq
        second = asyncio.ensure_future(stage.gate.ask(gathered(seq=2, **other)))
        new = (await stage.front.next(0x21)).seq
        assert new != old
        await send(stage.port, answer(old))
        await quiet(stage, 1)
        with pytest.raises(ClearanceSilent):
            await first
        await send(stage.port, answer(new))
        assert admitted(await second).verb is Verb.RELEASE


async def test_gathered_again_after_an_answer_is_a_new_number(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        order = await stage.answered("N")
        asking = asyncio.ensure_future(stage.gate.ask(gathered(seq=2, tags=("BBA64144", "CC"))))
        heard = await stage.front.next(0x21)
        assert not order.id.startswith(heard.seq)
        await send(stage.port, answer(heard.seq))
        assert admitted(await asking).verb is Verb.RELEASE


async def test_an_officer_changes_the_verdict(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        held = await stage.answered("w1w" + "0" * 17, hint="布控查验")
        seq = stage.front.of(0x21)[0].seq
        assert await stage.gate.newer("L01-1", held.id) is None
        await send(stage.port, answer(seq, hint="人工放行"))
        released = admitted(await stage.gate.newer("L01-1", held.id))
        assert (released.verb, released.reason_zh) == (Verb.RELEASE, "人工放行")
        await send(stage.port, answer(seq, "11" + "0" * 18, hint="禁止通行"))
        assert admitted(await stage.gate.newer("L01-1", released.id)).verb is Verb.REFUSE
        await send(stage.port, answer(seq, hint="再次放行"))
        again = admitted(await stage.gate.newer("L01-1", "another"))
        assert again.id == released.id, "a number opens once"


async def test_a_truck_that_waits_longer_than_its_number_is_asked_about_again(tmp_path: Path) -> None:
    terms = Terms(answer_within_s=25.0, sequence_life_s=30.0)
    async with staged(tmp_path, speed=20, terms=terms) as stage:
        held = await stage.answered("11" + "0" * 18)
        await stage.clock.sleep(31)
        await stage.gate.newer("L01-1", held.id)
        heard = await stage.front.next(0x21)
        await send(stage.port, answer(heard.seq))
        assert admitted(await stage.gate.newer("L01-1", held.id)).verb is Verb.RELEASE


async def test_a_stranger_is_not_heard(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        seq = (await stage.front.next(0x21)).seq
        await send(stage.port, answer(seq), source="127.0.0.2")
        with pytest.raises(ClearanceSilent):
            await asking
        assert stage.gate.link.wire.strangers == 1


async def test_noise_and_a_flood_change_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        seq = (await stage.front.next(0x21)).seq
        raw = answer(seq)
        await asyncio.gather(
            send(stage.port, b"\x7f" * 50_000),
            send(stage.port, raw[:70]),
            *(send(stage.port, answer(f"2015{n:016d}")) for n in range(60)),
            send(stage.port, b"GET / HTTP/1.1\r\n\r\n" + raw[:5]),
            send(stage.port, framed(0x22, b"<COMMAND_INFO>\xff</COMMAND_INFO>")),
        )
        await send(stage.port, b"\x00\x7f" + raw)
        assert admitted(await asking).verb is Verb.RELEASE
        assert stage.gate.link.wire.odd_ones >= 60


async def test_after_a_restart_the_numbers_of_the_life_before_are_over(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        with pytest.raises(ClearanceSilent):
            await stage.gate.ask(gathered())
        old = stage.front.of(0x21)[0].seq
    async with staged(tmp_path) as stage:
        await send(stage.port, answer(old))
        await quiet(stage, 1)
        assert (await stage.answered()).verb is Verb.RELEASE
        assert old not in {heard.seq for heard in stage.front.of(0x21)}


async def test_what_must_reach_customs_outlives_the_process(tmp_path: Path) -> None:
    async with staged(tmp_path, way={"port": 1}, terms=Terms(receipt=True)) as stage:
        with pytest.raises(ClearanceSilent):
            await stage.gate.ask(gathered())
        await stage.gate.report(crossing("left"))
    async with staged(tmp_path) as stage:
        assert (await stage.front.next(0x28)).says("ERROR_INFO") == "left"
        assert stage.front.of(0x21) == []


async def test_no_secret_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with staged(tmp_path) as stage:
        await stage.answered("V1" + "0" * 18)
        seq = stage.front.of(0x21)[0].seq
        seal = "<SEAL><ESEAL_ID>12900095</ESEAL_ID><SEAL_KEY>4159344504</SEAL_KEY></SEAL>"
        word = "<EXCUTE_COMMAND>00000001000000000000</EXCUTE_COMMAND>"
        await send(stage.port, framed(0x31, command(seq, word, seal)), framed(0x31, command("9", word, seal)))
        await send(stage.port, framed(0x31, command(seq, word, seal, "<SEAL/>")), command(seq, word, seal))
        await quiet(stage, 1)
        assert "4159344504" not in str(stage.notes)
    assert "4159344504" not in caplog.text
