"""Captured frames come out as objects, whole or byte by byte; an unfinished end is noise, not silence."""

from drivers.rfid.decode import decode_stream
from drivers.rfid.frames import BB_NOTICE, BB_ONE_ROUND, a0_frame, bb_frame, tag_crc
from drivers.rfid.tag import epc_of

EPC = epc_of("沪AD3F88")
PC = (len(EPC) // 2 << 11).to_bytes(2, "big")


def test_the_bb_family() -> None:
    crc = tag_crc(PC + EPC).to_bytes(2, "big")
    captured = b"\x00\x01" + bb_frame(BB_NOTICE, BB_ONE_ROUND, b"\xc9" + PC + EPC + crc) + b"\xbb\x02"
    whole = list(decode_stream([captured], "uhf-bb"))
    assert whole == list(decode_stream([bytes([byte]) for byte in captured], "uhf-bb"))
    assert [word.get("garbage") for word in whole] == ["0001", None, "bb02"]
    assert (whole[1]["epc"], whole[1]["plate"]) == (EPC.hex().upper(), "沪AD3F88")


def test_the_a0_family() -> None:
    captured = a0_frame(1, 0x89, bytes([0x04]) + PC + EPC + bytes([0x4D])) + a0_frame(1, 0x72, b"\x01\x02")
    tag, other = decode_stream([captured], "uhf-a0")
    assert tag["plate"] == "沪AD3F88" and tag["antenna"] == 1
    assert other == {"command": 0x72, "error": None, "parameters": "0102"}
