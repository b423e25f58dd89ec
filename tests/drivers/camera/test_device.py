from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from drivers.camera.config import CameraConfig
from drivers.camera.device import Camera
from drivers.camera.read import Read
from drivers.faults import LinkLost
from drivers.link import open_link
from drivers.link.config import StreamLinkConfig
from drivers.readings import Garbage
from edge.clock import SiteClock
from tests.drivers.camera.test_frames import LINE
from tests.drivers.plugs import ScriptClock, ScriptLink, gather_words, tcp_device, until_fault

TCP = {"kind": "tcp", "host": "127.0.0.1", "port": 1}


def config(**more: Any) -> CameraConfig:
    return CameraConfig.model_validate({"name": "ocr", "link": TCP, **more})


@pytest.mark.parametrize("wrong", [{"name": ""}, {"fps": 25}, {"link": None}])
def test_settings_are_closed(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)


async def test_reads_are_stamped_silence_is_no_fault_garbage_is_counted() -> None:
    clock = ScriptClock()
    camera = Camera(ScriptLink(clock, [LINE[:30], 5000.0, LINE[30:] + b"rubbish\n", 1.0, LINE]), config(), clock)
    words, ended = await until_fault(camera.words())
    assert isinstance(ended, LinkLost)
    assert [word.at - 1_795_435_200.0 for word in words if isinstance(word, Read)] == [5000.0, 5001.0]
    assert [word.raw for word in words if isinstance(word, Garbage)] == [b"rubbish"]
    assert (camera.tally.words, camera.tally.garbage, camera.tally.garbage_bytes) == (2, 1, 7)


async def test_over_tcp_with_the_line_torn_in_a_read() -> None:
    clock = SiteClock()
    async with tcp_device() as (port, connected):
        link = await open_link(TypeAdapter[Any](StreamLinkConfig).validate_python({**TCP, "port": port}), clock)
        camera = Camera(link, config(), clock)
        peer = await connected
        peer.send(LINE + LINE[:30])
        [read] = await gather_words(camera.words(), 1)
        assert isinstance(read, Read) and (read.what, read.text, read.camera) == ("plate", "沪AD3F88", "front")
        peer.hang_up()
        with pytest.raises(LinkLost):
            await gather_words(camera.words(), 1)
        await link.close()
