import json

from simulators.camera import ReadPortal
from simulators.clock import SimClock
from tests.simulators.wires import comes_true, living, tcp_line


async def test_each_read_is_one_line_for_everybody_who_is_there():
    clock = SimClock(speed=50)
    portal = ReadPortal(clock)
    where = portal.tcp()
    portal.push("plate", "nobody hears", 0.5, "front")
    async with living(portal.run()), tcp_line(where) as one, tcp_line(where) as two:
        await comes_true(lambda: portal.pipe.listeners == 2, clock)
        portal.push("plate", "沪AD3F88", 0.97, "front")
        portal.push("container", "CSQU3054383", 0.9, "left")
        line = await one.until(b"\n")
        assert json.loads(line) == {"what": "plate", "text": "沪AD3F88", "confidence": 0.97, "camera": "front"}
        assert "沪AD3F88".encode() in line
        assert json.loads(await one.until(b"\n"))["text"] == "CSQU3054383"
        assert json.loads(await two.until(b"\n"))["what"] == "plate"
    portal.close()


async def test_faults():
    clock = SimClock(speed=50)
    portal = ReadPortal(clock, seed=1)
    async with tcp_line(portal.tcp()) as line:
        await comes_true(lambda: portal.pipe.listeners == 1, clock)
        portal.faults.silent = True
        portal.push("plate", "silent", 0.9, "front")
        portal.faults.silent = False
        portal.faults.half_share = 1.0
        portal.push("plate", "broken off", 0.9, "front")
        portal.faults.half_share = 0.0
        portal.push("plate", "whole", 0.9, "front")
        glued = await line.until(b"\n")
        assert b"silent" not in glued and glued.count(b'{"what"') <= 2 and glued.endswith(b'"camera": "front"}\n')
        assert not glued.startswith(b'{"what": "plate", "text": "whole"')
    portal.close()
