"""The other ways that gates are spoken to: each profile, the long connection, the serial line, naked XML, a tunnel."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from gateway_ctl.clearance import ClearanceSilent
from gateway_ctl.customs.serial_seal import serial_signer, serial_text
from gateway_ctl.orders import Verb
from tests.gateway_ctl.customs.front import (
    AREA,
    CLEAN,
    LANE,
    WITHIN_REAL_S,
    Front,
    admitted,
    answer,
    command,
    framed,
    gathered,
    quiet,
    send,
    staged,
)
from tests.gateway_ctl.customs.wire import packed


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("width", [1, 4])
async def test_an_answer_is_read_in_any_layout_whatever_the_profile(tmp_path: Path, order: str, width: int) -> None:
    async with staged(tmp_path) as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        seq = (await stage.front.next(0x21)).seq
        xml = command(seq, f"<CHECK_RESULT>{CLEAN}</CHECK_RESULT>")
        await send(stage.port, framed(0x22, xml, order=order, width=width, identifier=bytes(4)))
        assert admitted(await asking).verb is Verb.RELEASE


@pytest.mark.parametrize(
    ("profile", "order", "width", "encoding"),
    [("big-endian", "big", 1, "utf-8"), ("four-byte", "little", 4, "gb18030")],
)
async def test_a_profile_writes_its_own_layout(
    tmp_path: Path, profile: str, order: str, width: int, encoding: str
) -> None:
    front = Front(order=order, width=width, encoding=encoding)
    async with staged(tmp_path, front, profile=profile) as stage:  # type: ignore[arg-type]
        order_given = await stage.answered()
        assert order_given.verb is Verb.RELEASE
        assert front.of(0x21)[0].says("VE_NAME") == "沪AD3F88"


async def test_the_smart_gate(tmp_path: Path) -> None:
    front = Front(order="big", encoding="utf-8")
    async with staged(tmp_path, front, profile="smart-tcp") as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        asked = await front.next(0x81)
        assert asked.says("GETHER_MODE") == "A"
        assert asked.says("VE_LICENSE_NO") == "沪AD3F88"
        assert (len(asked.seq), asked.seq[:4]) == (18, LANE[-4:])
        parts = "<CHECK_RESULT>{}</CHECK_RESULT>"
        place = f"<AREA_ID>{AREA}</AREA_ID><CHNL_NO>{LANE}</CHNL_NO><SESSION_ID>{asked.seq}</SESSION_ID>"
        told = f"<GATHER_FEEDBACK>{place}{parts.format('M')}<LED_HINT>等待人工</LED_HINT></GATHER_FEEDBACK>"
        await send(stage.port, framed(0x82, told.encode()))
        held = admitted(await asking)
        assert (held.verb, held.reason_zh) == (Verb.HOLD, "等待人工")
        officer = f"<MANUAL_CHECK>{place}{parts.format(1)}<COMMENT></COMMENT></MANUAL_CHECK>"
        await send(stage.port, framed(0x85, officer.encode()))
        released = admitted(await stage.gate.newer("L01-1", held.id))
        assert (released.verb, released.reason_zh) == (Verb.RELEASE, "关员放行")


async def test_the_smart_gate_names_another_truck_and_a_weight(tmp_path: Path) -> None:
    """What customs itself names binds the order; the interlock compares."""
    async with staged(tmp_path, Front(order="big", encoding="utf-8"), profile="smart-tcp") as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        asked = await stage.front.next(0x81)
        told = (
            f"<GATHER_FEEDBACK><SESSION_ID>{asked.seq}</SESSION_ID><CHECK_RESULT>Y</CHECK_RESULT>"
            "<VE_INFO><VE_LICENSE_NO>川X00001</VE_LICENSE_NO><GROSS_WEIGHT>38000</GROSS_WEIGHT></VE_INFO>"
            "<CONTA_ID>HLXU4074106|FCIU9176921</CONTA_ID><FORM_INFO><FORM_TYPE>bill</FORM_TYPE></FORM_INFO>"
            "</GATHER_FEEDBACK>"
        )
        await send(stage.port, framed(0x82, told.encode()))
        order = admitted(await asking)
        assert (order.plate, order.containers) == ("川X00001", ("HLXU4074106", "FCIU9176921"))
        assert (order.declared_kg, order.document) == (38000, "bill")


@pytest.mark.parametrize(
    "inside",
    [
        "<CHECK_RESULT>Y</CHECK_RESULT><TECH_ERROR_CODE>E1</TECH_ERROR_CODE>",
        "<CHECK_RESULT>Y</CHECK_RESULT><VE_INFO><GROSS_WEIGHT>heavy</GROSS_WEIGHT></VE_INFO>",
        "<CHECK_RESULT>y</CHECK_RESULT>",
        "",
    ],
)
async def test_a_smart_answer_that_is_not_a_clean_yes_holds(tmp_path: Path, inside: str) -> None:
    async with staged(tmp_path, Front(order="big", encoding="utf-8"), profile="smart-tcp") as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        seq = (await stage.front.next(0x81)).seq
        told = f"<GATHER_FEEDBACK><SESSION_ID>{seq}</SESSION_ID>{inside}</GATHER_FEEDBACK>"
        await send(stage.port, framed(0x82, told.encode()))
        assert admitted(await asking).verb is Verb.HOLD


async def test_a_smart_gathering_again_is_a_new_session(tmp_path: Path) -> None:
    async with staged(tmp_path, Front(order="big", encoding="utf-8"), profile="smart-tcp") as stage:
        first = asyncio.ensure_future(stage.gate.ask(gathered(plate=None)))
        poor = await stage.front.next(0x81)
        second = asyncio.ensure_future(stage.gate.ask(gathered(seq=2)))
        rich = await stage.front.next(0x81)
        assert (poor.says("GETHER_MODE"), rich.says("GETHER_MODE")) == ("A", "M")
        assert poor.seq != rich.seq
        with pytest.raises(ClearanceSilent):
            await first
        second.cancel()


async def test_a_smart_order_to_the_barrier_moves_nothing(tmp_path: Path) -> None:
    front = Front(order="big", encoding="utf-8")
    async with staged(tmp_path, front, profile="smart-tcp") as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        seq = (await front.next(0x81)).seq
        xml = (
            f"<OPERATE_INFO><SESSION_ID>{seq}</SESSION_ID><ESEAL><ESEAL_ID>12900095</ESEAL_ID>"
            "<ESEAL_OPERATE>U</ESEAL_OPERATE><ESEAL_KEY>4159344504</ESEAL_KEY></ESEAL>"
            "<GENERAL_DEVICE><OPERATE>UP</OPERATE><DEVIC_ID>16010001</DEVIC_ID></GENERAL_DEVICE></OPERATE_INFO>"
        )
        await send(stage.port, framed(0x83, xml.encode()))
        done = await front.next(0x84)
        assert "抬落杆须凭放行指令" in done.xml
        assert "本道无法操作电子关锁" in done.xml
        assert "4159344504" not in done.xml
        with pytest.raises(ClearanceSilent):
            await asking


async def test_naked_xml_is_answered_on_the_same_connection(tmp_path: Path) -> None:
    def reply(raw: bytes) -> bytes:
        seq = raw.decode("gb18030").split('SEQ_NO="')[1].split('"')[0]
        return command(seq, "<CHECK_RESULT>Y</CHECK_RESULT><OP_HINT>海关放行</OP_HINT>")

    async with staged(tmp_path, Front(naked=True, reply=reply), profile="naked-xml") as stage:
        order = admitted(await stage.gate.ask(gathered()))
        assert (order.verb, order.reason_zh) == (Verb.RELEASE, "海关放行")
        assert stage.front.all[0].raw.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
        assert "沪AD3F88".encode("gb18030") in stage.front.all[0].raw


async def test_naked_xml_is_not_taken_where_packets_are_spoken(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        seq = (await stage.front.next(0x21)).seq
        await send(stage.port, command(seq, "<CHECK_RESULT>Y</CHECK_RESULT>"))
        with pytest.raises(ClearanceSilent):
            await asking
        assert stage.gate.link.wire.odd_ones >= 1


async def test_a_long_connection_carries_questions_and_answers(tmp_path: Path) -> None:
    def reply(raw: bytes) -> bytes:
        text = raw.decode("gb18030", "replace")
        if raw[8] != 0x21:
            return b""
        return answer(text.split('SEQ_NO="')[1].split('"')[0])

    async with staged(tmp_path, Front(reply=reply), way={"long": True}) as stage:
        assert admitted(await stage.gate.ask(gathered())).verb is Verb.RELEASE
        assert admitted(await stage.gate.ask(gathered(passage="L01-2"))).passage == "L01-2"
        await stage.front.next(0x42)
        assert stage.front.connections == 1


async def test_the_signed_serial_line(tmp_path: Path) -> None:
    """Both ports of the serial server: questions go to one and are acknowledged, answers come from the other."""
    key = rsa.generate_private_key(65_537, 1024)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    taken = packed_ack(0)
    waiting: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    acknowledged: asyncio.Queue[bytes] = asyncio.Queue()

    async def release(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting.put_nowait(writer)
        while raw := await reader.read(1000):
            acknowledged.put_nowait(raw)
        writer.close()

    server = await asyncio.start_server(release, "127.0.0.1", 0)
    intake = server.sockets[0].getsockname()[1]
    front = Front(width=4, encoding="utf-8", reply=lambda _: taken)
    way = {"intake_port": intake}
    async with staged(tmp_path, front, profile="signed-serial", sign_xml=serial_signer(pem), way=way) as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        asked = await front.next(0x21)
        xml = asked.xml.encode()
        assert asked.raw[8:12] == b"\x00\x00\x00\x21"
        assert len(asked.raw) == len(xml) + 179
        signature = asked.raw[41 + len(xml) + 8 : -2]
        opened = pow(int.from_bytes(signature, "big"), 65_537, key.public_key().public_numbers().n).to_bytes(128, "big")
        assert opened == b"\x00\x01" + b"\xff" * (125 - 59) + b"\x00" + serial_text(xml)
        assert asked.says("TRUCK_NO") == "沪AD3F88"
        writer = await waiting.get()
        writer.write(
            packed(
                xml=command(asked.seq, f"<CHECK_RESULT>{CLEAN}</CHECK_RESULT>"),
                width=4,
                area=AREA.encode(),
                channel=LANE.encode(),
            )
        )
        assert admitted(await asking).verb is Verb.RELEASE
        async with asyncio.timeout(WITHIN_REAL_S):
            ours = await acknowledged.get()
        assert (len(ours), ours[:4], ours[12], ours[-2:]) == (100, taken[:4], 0, b"\xff\xff")
    server.close()


async def test_a_packet_that_the_serial_line_refuses_is_sent_again(tmp_path: Path) -> None:
    pem = rsa.generate_private_key(65_537, 1024).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    replies = [packed_ack(7), packed_ack(0)]
    front = Front(
        width=4, encoding="utf-8", reply=lambda raw: replies.pop(0) if raw[11] == 0x21 and replies else packed_ack(0)
    )
    async with staged(tmp_path, front, profile="signed-serial", sign_xml=serial_signer(pem)) as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        first, second = await front.next(0x21), await front.next(0x21)
        assert first.raw == second.raw
        asking.cancel()


def packed_ack(status: int) -> bytes:
    return (
        b"\xe2\x5c\x4b\x89"
        + (100).to_bytes(4, "little")
        + b"\x00\x00\x00\x21"
        + bytes([status])
        + bytes(85)
        + b"\xff\xff"
    )


@pytest.mark.parametrize("pem", [b"", b"nonsense", ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)])  # fmt: skip
def test_what_is_no_rsa_key(pem: bytes) -> None:
    with pytest.raises(ValueError):
        serial_signer(pem)


class Authority:
    """A certificate authority of a test, and certificates of it for 127.0.0.1."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.ca = folder / f"{name}.pem"
        self.ca.write_bytes(self._certificate(self.subject, self.key.public_key(), ca=True))

    def _certificate(self, subject: x509.Name, public: ec.EllipticCurvePublicKey, *, ca: bool) -> bytes:
        now = dt.datetime.now(dt.UTC)
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject).issuer_name(self.subject).public_key(public).serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(here, critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )  # fmt: skip
        if ca:
            usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
            made = made.add_extension(usage, critical=True)
        return made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def chain(self, name: str) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        cert, private = self.folder / f"{self.name}-{name}.crt", self.folder / f"{self.name}-{name}.key"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        cert.write_bytes(self._certificate(subject, key.public_key(), ca=False))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return str(cert), str(private)

    def server(self, name: str) -> ssl.SSLContext:
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.ca))
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_cert_chain(*self.chain(name))
        return made

    def client(self, name: str) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(self.ca))
        made.load_cert_chain(*self.chain(name))
        return made


async def test_a_tunnel_in_both_directions(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path, "port"), Authority(tmp_path, "stranger")
    way = {"client_tls": authority.client("lane"), "server_tls": authority.server("lane-port")}
    async with staged(tmp_path, way=way, front_tls=authority.server("customs")) as stage:
        asking = asyncio.ensure_future(stage.gate.ask(gathered()))
        seq = (await stage.front.next(0x21)).seq
        bad = other.client("thief")
        bad.check_hostname, bad.verify_mode = False, ssl.CERT_NONE
        for tls in (None, bad):
            try:
                await send(stage.port, answer(seq), tls=tls)
            except (OSError, ssl.SSLError):
                continue
        assert stage.gate.tally.answers == 0
        await send(stage.port, answer(seq), tls=authority.client("customs-out"))
        assert admitted(await asking).verb is Verb.RELEASE


async def test_a_peer_with_a_strange_certificate_is_not_told_anything(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path, "port"), Authority(tmp_path, "stranger")
    async with staged(tmp_path, way={"client_tls": authority.client("lane")}, front_tls=other.server("thief")) as stage:
        with pytest.raises(ClearanceSilent, match="tls: certificate verify failed"):
            await stage.gate.ask(gathered())
        assert stage.front.all == []


async def test_what_no_lane_is_told_is_refused(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await send(stage.port, framed(0x21, command("1").replace(b"COMMAND_INFO", b"GATHER_INFO")))
        await send(stage.port, framed(0x26, command("1")))
        await quiet(stage, 2)
