"""A site whose lanes are a Chinese customs gate: its file, its keys, and what is wrong with them."""

from pathlib import Path

import pytest

from edge.clearance_config import GateClearanceConfig
from edge.config import SiteFileWrong, load
from edge.lane.road import PICTURES, link_key, photos_in, terms_of, way_of
from gateway_ctl.customs.packet import Layout, Photo
from gateway_ctl.seal import Role, new_key

EXAMPLE = Path(__file__).resolve().parents[2] / "edge" / "sites" / "example.toml"
PRIVATE, PUBLIC = new_key()
CLEARANCE = f'''[clearance]
engine = "jgst"
host = "192.0.2.20"
port = 9001
key = "link-2026"
key_file = "secrets/link"

[[clearance.keys]]
id = "link-2026"
public = "{PUBLIC}"
role = "link"

[anchors-begin]'''
CUSTOMS = """[lanes.customs]
area = "3701000001"
channel = "3701000101"
listen_port = 9002
devices = { wb = "15010001", tags = "1101010001", boom = "16010001" }

[lanes.weighbridge]"""


def site_file(folder: Path, *changes: tuple[str, str]) -> Path:
    """The example with the gate in the place of the JSON service."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("#"))
    begins, ends = text.index("[clearance]"), text.index("[[persons]]")
    text = text[:begins] + CLEARANCE.replace("[anchors-begin]", "") + text[ends:]
    text = text.replace("[lanes.weighbridge]", CUSTOMS, 1)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / "secrets").mkdir()
    (folder / "secrets" / "link").write_text(PRIVATE + "\n")
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_gate_s_site(tmp_path: Path) -> None:
    site = load(site_file(tmp_path))
    config = site.clearance
    assert isinstance(config, GateClearanceConfig)
    assert config.key_file == tmp_path / "secrets" / "link"
    assert site.keyring()["link-2026"].role is Role.LINK
    assert link_key(config)
    way = way_of(config, site.lane("L01"))
    assert (way.host, way.port, way.listen_port, way.long) == ("192.0.2.20", 9001, 9002, False)
    assert way.profile.layout == Layout(1, "little")
    assert terms_of(config, 9002).sequence_life_s == 300


def test_a_profile_with_a_site_s_own_differences(tmp_path: Path) -> None:
    own = 'profile = "big-endian"\nidentifier = "00000000"\npadding = "nul-right"\nencoding = "gb18030"\nport = 9001'
    config = load(site_file(tmp_path, ("port = 9001", own))).clearance
    assert isinstance(config, GateClearanceConfig)
    profile = config.profile_made()
    assert (profile.layout, profile.identifier) == (Layout(1, "big"), bytes(4))
    assert (profile.padding, profile.encoding) == ("nul-right", "gb18030")


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ('engine = "jgst"', 'engine = "jgts"', "clearance.engine", "'http', 'jgst'"),
        ("port = 9001", "port = 0", "clearance.port", "1 or more"),
        ('key = "link-2026"', 'key = "link-2027"', "clearance.key", 'role = "link"'),
        ('role = "link"', 'role = "customs"', "clearance.key", 'role = "link"'),
        ("port = 9001", 'port = 9001\nprofile = "feild"', "clearance.profile", "'field'"),
        ("port = 9001", 'port = 9001\nprofil = "field"', "clearance.profil", "did you mean profile?"),
        ("port = 9001", 'port = 9001\nprofile = "signed-serial"', "clearance", "serial_key_file come together"),
        ('area = "3701000001"', 'area = "37010000011"', "lanes[L01].customs.area", "0-9A-Za-z"),
        ("listen_port = 9002", "listen_port = 8080", "lanes[L01].customs.listen_port", "console.port listens"),
        ('wb = "15010001"', 'wb = "1501"', "lanes[L01].customs", "annex C"),
        ('wb = "15010001"', 'wb = "16010002"', "lanes[L01].customs.devices.wb", "begins with 15"),
        ('wb = "15010001"', 'bw = "15010001"', "lanes[L01].customs.devices.bw", "boom, ocr, sign, tags, wb"),
        ("[lanes.customs]", "[lanes.custom]", "lanes[L01].customs", "this lane's numbers"),
    ],
)
def test_each_mistake_has_its_place_and_its_word(tmp_path: Path, old: str, new: str, key: str, expected: str) -> None:
    with pytest.raises(SiteFileWrong) as told:
        load(site_file(tmp_path, (old, new)))
    found = {mistake.key: mistake.expected for mistake in told.value.mistakes}
    assert expected in found.get(key, ""), found


def test_a_lane_s_numbers_belong_to_the_gate(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace("[lanes.weighbridge]", CUSTOMS, 1)
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SiteFileWrong, match=r'lanes\[L01\]\.customs .*engine = "jgst"'):
        load(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "quaygate keys new"), ("nonsense", "expected a private key"), (new_key()[0], "this is another key's")],
    ids=["none", "nonsense", "another"],
)
def test_a_key_that_will_not_do_is_told(tmp_path: Path, content: str | None, expected: str) -> None:
    config = load(site_file(tmp_path)).clearance
    assert isinstance(config, GateClearanceConfig)
    if content is None:
        config.key_file.unlink()
    else:
        config.key_file.write_text(content)
    with pytest.raises(SiteFileWrong, match=expected):
        link_key(config)


def test_pictures_lie_in_the_lane_s_folder_by_passage_and_place(tmp_path: Path) -> None:
    folder = tmp_path / PICTURES / "L01-1"
    folder.mkdir(parents=True)
    (folder / "33.jpg").write_bytes(b"rear")
    (folder / "30.jpg").write_bytes(b"front")
    (folder / "notes.txt").write_bytes(b"no")
    assert photos_in(folder) == (Photo(0x30, b"front"), Photo(0x33, b"rear"))
    (folder / "34.jpg").write_bytes(bytes(3 * 2**20))
    assert len(photos_in(folder)) == 2
    assert photos_in(tmp_path / "nowhere") == ()
