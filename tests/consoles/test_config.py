from pathlib import Path

import pydantic
import pytest

from consoles.config import load
from telemetry.config import BrokerConfig
from tests.browser.stage import LANES, PERSONS, write_site


def test_reads_its_own_keys_and_passes_over_the_instruments(tmp_path: Path) -> None:
    path = write_site(tmp_path, BrokerConfig(port=1999))
    path.write_text(path.read_text(encoding="utf-8") + '[clearance]\nurl = "http://x"\n', encoding="utf-8")
    site = load(path)
    assert [lane.id for lane in site.lanes] == LANES
    assert site.broker.port == 1999
    assert site.site.data == tmp_path / "data"
    assert [p.id for p in site.persons] == [person[0] for person in PERSONS]
    assert len(site.site.drawing.shapes) == 9
    assert site.site.clock.speed == 1.0


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(
        '[site]\nid = "a"\nzh = "a"\nen = "a"\ndata = "d"\n'
        '[broker]\nusername = "u"\npassword_file = "secret"\ntls = { ca = "ca.pem" }\n'
        '[console]\ntls = { cert = "c.pem", key = "/abs/k.pem" }\n',
        encoding="utf-8",
    )
    site = load(path)
    assert site.broker.password_file == tmp_path / "secret"
    assert site.broker.tls is not None and site.broker.tls.ca == tmp_path / "ca.pem"
    assert site.console.tls is not None and site.console.tls.key == Path("/abs/k.pem")


def test_a_mistake_never_repeats_a_sealed_key(tmp_path: Path) -> None:
    path = write_site(tmp_path, BrokerConfig(port=1999))
    text = path.read_text(encoding="utf-8")
    sealed = text.split('sealed = "')[1].split('"')[0]
    path.write_text(text.replace('role = "operator"', 'role = "god"'), encoding="utf-8")
    with pytest.raises(pydantic.ValidationError) as wrong:
        load(path)
    assert "persons.0.role" in str(wrong.value)
    assert sealed not in str(wrong.value) and sealed not in repr(wrong.value)
