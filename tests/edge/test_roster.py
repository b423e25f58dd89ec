"""Who runs at a site, by what, after whom."""

import sys
from pathlib import Path

import pytest

from edge.clock import SiteClock
from edge.config import Site, load
from edge.roster import TABLE, names, services
from edge.supervisor import waves

EXAMPLE = Path(__file__).resolve().parents[2] / "edge" / "sites" / "example.toml"


def site(folder: Path) -> tuple[Site, Path]:
    file = folder / "site.toml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    return load(file), file


def test_the_table_names_its_own_kinds() -> None:
    kinds = [row.kind for row in TABLE]
    assert len(set(kinds)) == len(kinds)
    assert {need for row in TABLE for need in row.needs} <= set(kinds)


def test_a_site_s_processes(tmp_path: Path) -> None:
    made, file = site(tmp_path)
    found = {service.name: service for service in services(made, file, SiteClock())}
    assert list(found) == names(made) == ["broker", "recorder", "lane/L01", "tracker", "console"]
    assert found["lane/L01"].argv == (sys.executable, "-m", "edge", "run", "lane/L01", str(file))
    assert found["lane/L01"].needs == (), "a lane waits for nobody"
    assert found["console"].argv == (sys.executable, "-m", "consoles", str(file))
    assert found["recorder"].needs == ("broker",)
    assert "nats-server" in found["broker"].argv[0]
    assert (tmp_path / "data" / "broker" / "nats.conf").exists()
    assert len(waves(list(found.values()))) == 2


def test_only_some(tmp_path: Path) -> None:
    made, file = site(tmp_path)
    found = services(made, file, SiteClock(), only=["recorder"])
    assert [(service.name, service.needs) for service in found] == [("recorder", ())]
    with pytest.raises(LookupError, match="no process lane/L07 at this site; there are broker"):
        services(made, file, SiteClock(), only=["lane/L07"])


def test_another_s_broker_is_not_started(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace('engine = "embedded"', 'engine = "mqtt"', 1)
    file = tmp_path / "site.toml"
    file.write_text(text[: text.index("[[trackers]]")], encoding="utf-8")
    made = load(file)
    assert names(made) == ["recorder", "lane/L01", "console"]
    assert all(service.needs == () for service in services(made, file, SiteClock()))
