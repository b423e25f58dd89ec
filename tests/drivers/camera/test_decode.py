"""Captured lines come out as objects, whole or byte by byte; a last line without its end counts too."""

from drivers.camera.decode import decode_stream
from drivers.camera.frames import ReadLine, encode

READ = ReadLine(what="plate", text="沪AD3F88", confidence=0.97, camera="front")


def test_reads_and_noise() -> None:
    captured = encode(READ) + b"\xff\x00\n{}\n" + encode(READ).rstrip()
    whole = list(decode_stream([captured]))
    assert whole == list(decode_stream([bytes([byte]) for byte in captured]))
    said = {"what": "plate", "text": "沪AD3F88", "confidence": 0.97, "camera": "front"}
    assert [word for word in whole if "garbage" not in word] == [said, said]
    assert [word["garbage"] for word in whole if "garbage" in word] == ["ff 00", "{}"]
