"""Simulated customs over real HTTP; seals are checked here with `cryptography`, on the bytes as they came."""

import asyncio
import json
import sys
from base64 import b64decode
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from simulators.clock import SimClock
from simulators.customs import SEAL_PREFIX, Customs, Manner, key_from
from simulators.customs_rules import Gathered, NotAPassage, gathered_from, judge, manifest_from
from simulators.trucks import day

ROWS = [truck.manifest() for truck in day(seed=1, trucks=3, lanes=[("L01", "in")])]
TRUCK = ROWS[0]


def question(row: dict[str, Any] = TRUCK, passage: str = "p-1", **more: object) -> dict[str, Any]:
    return {
        "site": "qianwan",
        "lane": "L01",
        "passage": passage,
        "direction": row["direction"],
        "at": 1.0,
        "seq": 1,
        "plate": {"text": row["plate"], "confidence": 0.97},
        "tags": [row["plate"].encode("gbk").ljust(12, b"\0").hex().upper()],
        "containers": [{"code": code, "confidence": 0.95} for code in row["containers"]],
        "gross_kg": row["declared_kg"],
        "uncertainty_kg": "20",
        **more,
    }


@asynccontextmanager
async def open_customs(manner: Manner = Manner.PROPER, speed: float = 1.0, **more: Any):
    customs = Customs(SimClock(speed=speed), manner=lambda _: manner, **more)
    customs.expect(ROWS)
    async with customs.serve() as served, httpx.AsyncClient(base_url=served.url, timeout=10) as client:
        yield customs, client


def opened(customs: Customs, body: dict[str, Any]) -> dict[str, Any]:
    """The order, if a known key has sealed it; raises KeyError or InvalidSignature otherwise."""
    keys = {key["id"]: Ed25519PublicKey.from_public_bytes(b64decode(key["public"])) for key in customs.keys}
    order = body["order"]
    payload = b64decode(order["payload"], validate=True)
    for seal in order["seals"]:
        keys[seal["key"]].verify(b64decode(seal["signature"]), SEAL_PREFIX + payload)
    return json.loads(payload)


async def test_a_fitting_truck_is_released_by_a_sealed_expiring_order() -> None:
    async with open_customs() as (customs, client):
        before = customs._clock.now()
        answer = await client.post("/passages", json=question())
        assert answer.status_code == 200
        order = opened(customs, answer.json())
        assert order["verb"] == "release" and order["v"] == 1 and order["persons"] == []
        assert (order["site"], order["lane"], order["passage"]) == ("qianwan", "L01", "p-1")
        assert order["plate"] == TRUCK["plate"] and order["containers"] == TRUCK["containers"]
        assert order["declared_kg"] == TRUCK["declared_kg"] and order["tolerance_kg"] == TRUCK["tolerance_kg"]
        assert order["issued_at"] >= before and order["expires_at"] == order["issued_at"] + 120
        assert order["reason"]["zh"] and order["reason"]["en"]


async def test_asking_twice_gives_the_same_order_and_a_change_gives_a_fresh_one() -> None:
    async with open_customs() as (customs, client):
        first = opened(customs, (await client.post("/passages", json=question(gross_kg=None))).json())
        again = opened(customs, (await client.post("/passages", json=question(gross_kg=None))).json())
        assert first == again and first["verb"] == "hold"
        same = await client.get("/passages/p-1/order", params={"after": first["id"]})
        assert same.status_code == 204
        weighed = opened(customs, (await client.post("/passages", json=question())).json())
        assert weighed["verb"] == "release" and weighed["id"] != first["id"]
        newer = await client.get("/passages/p-1/order", params={"after": first["id"]})
        assert opened(customs, newer.json()) == weighed
        assert (await client.get("/passages/unheard/order")).status_code == 204


async def test_an_order_near_its_end_is_renewed() -> None:
    async with open_customs(speed=200.0, valid_s=60.0) as (customs, client):
        first = opened(customs, (await client.post("/passages", json=question())).json())
        await customs._clock.sleep(55)
        later = opened(customs, (await client.post("/passages", json=question())).json())
        assert later["id"] != first["id"] and later["expires_at"] > first["expires_at"]


async def test_an_officer_changes_the_answer() -> None:
    async with open_customs() as (customs, client):
        first = opened(customs, (await client.post("/passages", json=question(containers=[]))).json())
        assert first["verb"] == "hold"
        assert (await client.post("/officer/p-1", json={"verb": "open sesame"})).status_code == 400
        assert (await client.post("/officer/p-2", json={"verb": "release"})).status_code == 404
        assert (await client.post("/officer/p-1", json={"verb": "release"})).status_code == 204
        newer = opened(customs, (await client.get("/passages/p-1/order", params={"after": first["id"]})).json())
        assert newer["verb"] == "release"


async def test_papers_are_used_once() -> None:
    report = {"site": "qianwan", "lane": "L01", "passage": "p-1", "order": "x", "outcome": "crossed", "at": 2.0}
    async with open_customs() as (customs, client):
        await client.post("/passages", json=question())
        for _ in range(2):
            assert (await client.post("/crossings", json=report)).status_code == 204
        again = opened(customs, (await client.post("/passages", json=question(passage="p-2"))).json())
        assert again["verb"] == "hold" and "used" in again["reason"]["en"]
        other = opened(customs, (await client.post("/passages", json=question(ROWS[1], "p-3"))).json())
        assert other["verb"] == "release"
        left = report | {"passage": "p-3", "outcome": "left"}
        assert (await client.post("/crossings", json=left)).status_code == 204
        back = opened(customs, (await client.post("/passages", json=question(ROWS[1], "p-4"))).json())
        assert back["verb"] == "release"
        assert [dossier.as_json()["crossing"] for dossier in customs.untold("L01")] == [
            "crossed",
            None,
            "left",
            None,
        ]


@pytest.mark.parametrize("manner", [Manner.FORGED, Manner.UNKNOWN_KEY])
async def test_a_false_seal_is_false(manner: Manner) -> None:
    async with open_customs(manner) as (customs, client):
        body = (await client.post("/passages", json=question())).json()
        with pytest.raises(InvalidSignature if manner is Manner.FORGED else KeyError):
            opened(customs, body)
        assert json.loads(b64decode(body["order"]["payload"]))["verb"] == "release"


async def test_true_seals_on_wrong_orders() -> None:
    manners = {
        "p-e": Manner.EXPIRED,
        "p-l": Manner.OTHER_LANE,
        "p-o": Manner.OTHER_PASSAGE,
        "p-r": Manner.REPLAYED,
    }
    customs = Customs(SimClock(), manner=lambda asked: manners.get(asked.passage, Manner.PROPER))
    customs.expect(ROWS)
    async with customs.serve() as served, httpx.AsyncClient(base_url=served.url) as client:

        async def ask(passage: str, row: dict[str, Any] = TRUCK) -> dict[str, Any]:
            return opened(customs, (await client.post("/passages", json=question(row, passage))).json())

        assert (await ask("p-r"))["passage"] != "p-r"
        true = await ask("p-1")
        expired = await ask("p-e", ROWS[1])
        assert expired["verb"] == "release" and expired["expires_at"] < customs._clock.now() - 30
        assert (await ask("p-l", ROWS[1]))["lane"] != "L01"
        assert (await ask("p-o", ROWS[1]))["passage"] != "p-o"
        del customs.log["p-r"]
        assert await ask("p-r", ROWS[1]) == true


async def test_silence_lateness_noise_and_errors() -> None:
    manners = {"p-s": Manner.SILENT, "p-l": Manner.LATE, "p-m": Manner.MALFORMED, "p-5": Manner.ERROR}
    clock = SimClock(speed=100.0)
    customs = Customs(clock, manner=lambda asked: manners[asked.passage])
    customs.expect(ROWS)
    async with customs.serve() as served, httpx.AsyncClient(base_url=served.url) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/passages", json=question(passage="p-s"), timeout=0.1)
        assert (await client.get("/passages/p-s/order")).status_code == 204
        asked_at = clock.now()
        late = opened(customs, (await client.post("/passages", json=question(passage="p-l"))).json())
        assert late["verb"] == "release" and late["issued_at"] > asked_at + 5
        noise = await client.post("/passages", json=question(passage="p-m"))
        with pytest.raises(ValueError):
            noise.json()
        assert (await client.post("/passages", json=question(passage="p-5"))).status_code == 500


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"site": "q"}',
        json.dumps(question(gross_kg=38000)).encode(),
        json.dumps(question(gross_kg="NaN")).encode(),
    ],
)
async def test_a_question_that_is_none_is_protested(body: bytes) -> None:
    async with open_customs() as (customs, client):
        assert (await client.post("/passages", content=body)).status_code == 400
        assert (await client.post("/crossings", content=body)).status_code == 400
        assert len(customs.protests) == 2 and not customs.log


BASE = gathered_from(question())
MANIFESTS = {row["plate"]: manifest_from(row) for row in ROWS}


@pytest.mark.parametrize(
    ("change", "verb", "word"),
    [
        ({}, "release", "Released"),
        ({"plate": None}, "hold", "No licence plate"),
        ({"plate": "鲁B00000"}, "hold", "No manifest"),
        ({"plate_confidence": 0.2}, "hold", "confidence"),
        ({"containers": ()}, "hold", "Container"),
        ({"containers": ("CSQU3054383",)}, "hold", "Container"),
        ({"gross_kg": None}, "hold", "no weight"),
        ({"gross_kg": Decimal(TRUCK["declared_kg"]) + Decimal(TRUCK["tolerance_kg"])}, "release", ""),
        ({"gross_kg": Decimal(TRUCK["declared_kg"]) + Decimal(TRUCK["tolerance_kg"]) + 1}, "hold", "Weight"),
        ({"gross_kg": Decimal(TRUCK["declared_kg"]) - Decimal(TRUCK["tolerance_kg"]) - 1}, "hold", "Weight"),
        ({"direction": "out"}, "hold", "Direction"),
        ({"tags": (ROWS[1]["plate"].encode("gbk").ljust(12, b"\0").hex(),)}, "hold", "Tag"),
        ({"tags": ("E2000017221101441890ABCD",)}, "release", ""),
    ],
)
def test_the_rule(change: dict[str, Any], verb: str, word: str) -> None:
    opinion = judge(replace(BASE, **change), MANIFESTS)
    assert opinion.verb == verb and word in opinion.en and opinion.zh


@pytest.mark.parametrize("verb", ["hold", "inspect", "refuse"])
def test_targeting_comes_before_everything_that_fits(verb: str) -> None:
    targeted = {TRUCK["plate"]: manifest_from(TRUCK | {"targeting": verb})}
    assert judge(BASE, targeted).verb == verb


def test_gathered_needs_its_words() -> None:
    for name in ("site", "lane", "passage", "direction"):
        with pytest.raises(NotAPassage, match=name):
            gathered_from(question() | {name: ""})
    assert isinstance(gathered_from(question(plate=None, tags=None, containers=None)), Gathered)


async def test_alone_from_the_command_line(tmp_path: Path) -> None:
    manifests = tmp_path / "manifests.jsonl"
    manifests.write_text("\n".join(json.dumps(row) for row in ROWS), encoding="utf-8")
    key_file = tmp_path / "customs.key"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators.customs", "--manifests", str(manifests), "--key-file", str(key_file),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout and process.stdin
    try:
        async with asyncio.timeout(30):
            ready = json.loads(await process.stdout.readline())["ready"]
            public = key_from(key_file).public_key().public_bytes_raw()
            assert b64decode(ready["keys"][0]["public"]) == public
            async with httpx.AsyncClient(base_url=ready["url"]) as client:
                body = (await client.post("/passages", json=question())).json()["order"]
            Ed25519PublicKey.from_public_bytes(public).verify(
                b64decode(body["seals"][0]["signature"]), SEAL_PREFIX + b64decode(body["payload"])
            )
            process.stdin.close()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
