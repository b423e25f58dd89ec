"""A site file is right, or every mistake in it is told at once: where, what, and what was expected."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.config import SITE_FILE_CAP, RulesConfig, SiteFileWrong, load
from edge.mistakes import Mistake
from gateway_ctl.picture import Rules
from gateway_ctl.seal import Role

EXAMPLE = Path(__file__).resolve().parents[2] / "edge" / "sites" / "example.toml"
GOOD = EXAMPLE.read_text(encoding="utf-8")


def wrong(folder: Path, *changes: tuple[str, str]) -> list[Mistake]:
    text = GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    site = folder / "site.toml"
    site.write_text(text, encoding="utf-8")
    try:
        load(site)
    except SiteFileWrong as found:
        return list(found.mistakes) if str(found).count("\n") == len(found.mistakes) else []
    return []


def test_the_example_is_right() -> None:
    site = load(EXAMPLE)
    assert site.id == "qianwan"
    lane = site.lane("L01")
    assert (lane.weighbridge.division_kg, lane.io.inputs["photocell"], lane.rules.rules()) == (20, 4, Rules())
    assert site.data == EXAMPLE.parent / "data"
    assert site.book("L01") == EXAMPLE.parent / "data" / "lanes" / "L01" / "book.sqlite"
    assert {name: holder.role for name, holder in site.keyring().items()} == {
        "customs-2026": Role.CUSTOMS,
        "li.wei": Role.OPERATOR,
    }
    with pytest.raises(LookupError, match="no lane 'L09'; there are L01"):
        site.lane("L09")


def test_ten_mistakes_are_ten_messages(tmp_path: Path) -> None:
    found = wrong(
        tmp_path,
        ("port = 8080", "port = 80800"),
        ('role = "operator"', 'role = "boss"'),
        ('en = "Import lane 1"\ndirection', "direction"),
        ("max_kg = 100000", "max_kg = -5"),
        ('dialect = "yaohua-a9"', 'dialect = "yaohua-a8"'),
        ('module = "adam-6050"', 'module = "adam-9"'),
        ("poll_s = 0.1", "pol_s = 0.1"),
        ("photocell = 4, ", ""),
        ("green = 4", "green = 3"),
        ('host = "192.0.2.15", port = 4004', 'host = "192.0.2.11", port = 4001'),
    )
    text = (tmp_path / "site.toml").read_text(encoding="utf-8").splitlines()
    assert len(found) == 10
    expected = {
        "console.port": "expected 65535 or less",
        "persons[li.wei].role": "expected 'operator', 'supervisor' or 'inspector'",
        "lanes[L01].en": "it must be given",
        "lanes[L01].weighbridge.max_kg": "above 0",
        "lanes[L01].weighbridge.dialect": "expected one of aand",
        "lanes[L01].io.module": "expected a register table: adam-4150",
        "lanes[L01].io.pol_s": "did you mean poll_s?",
        "lanes[L01].io.inputs.photocell": "without this switch the boom never opens",
        "lanes[L01].io.outputs": "green and red share output channel 3",
        "lanes[L01].sign.link": "lanes L01 weighbridge is on the same wire",
    }
    assert {m.key for m in found} == set(expected)
    for mistake in found:
        assert expected[mistake.key] in mistake.expected
        assert Path(mistake.file) == tmp_path / "site.toml" and mistake.line is not None
        word = mistake.key.rpartition(".")[2]
        if mistake.value != "is missing":
            assert re.match(rf"\s*{word}\s*=", text[mistake.line - 1]), mistake
    by_key = {m.key: m for m in found}
    line = 1 + text.index("port = 80800")
    assert str(by_key["console.port"]) == f"{tmp_path}/site.toml:{line}: console.port = 80800: expected 65535 or less"


LANE = GOOD[GOOD.index("[[lanes]]") : GOOD.index("[[trackers]]")]
PERSON = GOOD[GOOD.index("[[persons]]") : GOOD.index("[[lanes]]")]


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ("[[trackers]]", LANE + "[[trackers]]", "lanes[L01].id", "another lane has this id"),
        ("[[lanes]]", PERSON + "[[lanes]]", "persons[li.wei].id", "another person has this id"),
        ('id = "L01"', 'id = "tracker"', "lanes[tracker].id", "tracker is a node of every site"),
        ('id = "L01"', 'id = "L 01"', "lanes[L 01].id", "letters, digits, - and _ only"),
        ('name = "tags"', 'name = "wb"', "lanes[L01].tags.name", "another instrument of this lane has this name"),
        (
            "division_kg = 20",
            "division_kg = 30",
            "lanes[L01].weighbridge.division_kg",
            "1, 2 or 5 times a power of ten",
        ),
        ("max_kg = 100000", "max_kg = 1000", "lanes[L01].weighbridge.max_kg", "100 to 10000 divisions of 20 kg"),
        ('public = "', 'public = "AAAA', "clearance.keys[customs-2026].public", "32 bytes"),
        ('sealed = "', 'sealed = "AAAA', "persons[li.wei].sealed", "quaygate person add"),
        ("answer_within_s = 5.0", "answer_within_s = 0", "clearance.answer_within_s", "above 0"),
        ('kind = "udp", ', 'kind = "udd", ', "trackers[yard].link.kind", "'udp'"),
        ('kind = "udp", ', "", "trackers[yard].link.kind", "which kind"),
        ("port = 1883", "port = 8080", "console.port", "broker.port listens on the same port"),
        ("raise = 0", "raise = 9, rise = 0", "lanes[L01].io.outputs.rise", "did you mean raise?"),
        ("loop_arrival = 0", "loop_arival = 0", "lanes[L01].io.inputs.loop_arrival", "never opens"),
        ('url = "http://127.0.0.1:9000"', 'url = "127.0.0.1"', "clearance.url", "http"),
        ("[records]", "[recrods]", "recrods", "did you mean records?"),
        ('data = "data"', 'data = "site.toml"', "site.data", "expected a folder, but site.toml is a file"),
        ("[records]", '[papers]\nformats = ["sas223"]\n[records]', "papers.export_dir", "are written there"),
        ("[records]", '[papers]\nimport_dir = "site.toml"\n[records]', "papers.import_dir", "site.toml is a file"),
        ("[records]", '[papers]\nimport_dir = "a"\nexport_dir = "a"\n[records]', "papers.export_dir", "another folder"),
        ("[records]", '[papers]\nchannels = { L09 = "1" }\n[records]', "papers.channels.L09", "the id of a lane"),
        ("[records]", '[papers]\nformats = ["edifact"]\n[records]', "papers.formats[no. 1]", "codeco-95b"),
        ("[records]", '[anchors]\nkey_file = "a"\npublic = "b"\n[records]', "anchors.public", "32 bytes"),
    ],
)
def test_each_mistake_has_its_place_and_its_word(tmp_path: Path, old: str, new: str, key: str, expected: str) -> None:
    found = {m.key: m.expected for m in wrong(tmp_path, (old, new))}
    assert expected in found[key]


def test_a_folder_that_nobody_here_may_write_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> bool:
        return False

    monkeypatch.setattr("edge.cross_checks.os.access", never)
    (mistake,) = wrong(tmp_path)
    assert mistake.key == "site.data" and "may write to" in mistake.expected


def test_modules_on_one_line_need_their_own_unit(tmp_path: Path) -> None:
    bus = "[[lanes]]", LANE.replace('"L01"', '"L02"').replace("192.0.2.1", "192.0.3.1") + "[[lanes]]"
    same = ('host = "192.0.3.12", port = 502, unit = 1', 'host = "192.0.2.12", port = 502, unit = 1')
    assert [m.key for m in wrong(tmp_path, bus, same)] == ["lanes[L01].io.link"]
    assert wrong(tmp_path, bus, (same[0], same[1].replace("unit = 1", "unit = 2"))) == []


SCALE = 'name = "wb"\ndialect = "yaohua-a9"     # Yaohua XK3190-A9 and kin, continuous sending (tF = 0)'
STREAM = 'link = { kind = "tcp", host = "192.0.2.11", port = 4001 }   # a serial server'
MODBUS = 'link = { kind = "modbus-tcp", host = "192.0.2.11", port = 502, unit = 1 }'
TABLE = """[[weight_tables]]
name = "acme-w1"
source = "ACME W1 Modbus manual 1.2, page 14"
gross = { at = 7, kind = "uint32" }
status = [{ at = 6, bits = { stable = [11], gross_negative = [7], overload = [2, 3], error = [0, 1] } }]
decimals = { at = 13, bits = 8, codes = { 6 = 0, 9 = 1, 12 = 2 } }

"""


def test_an_indicator_with_registers_and_a_table_of_the_sites_own(tmp_path: Path) -> None:
    def by_table(name: str) -> tuple[tuple[str, str], ...]:
        return (SCALE, f'name = "wb"\ntable = "{name}"'), (STREAM, MODBUS)

    assert wrong(tmp_path, *by_table("laumas")) == []
    (mistake,) = wrong(tmp_path, *by_table("acme-w1"))
    assert mistake.key == "lanes[L01].weighbridge.table" and "baykon-mx08, dini-argeo" in mistake.expected
    assert wrong(tmp_path, *by_table("acme-w1"), ("[[lanes]]", TABLE + "[[lanes]]")) == []
    site = load(tmp_path / "site.toml")
    assert site.lane("L01").weighbridge.registers(site.weight_tables).count == 8
    found = wrong(tmp_path, *by_table("acme-w1"), ("[[lanes]]", TABLE.replace("uint32", "uint8") + "[[lanes]]"))
    assert {m.key for m in found} == {"weight_tables[acme-w1].gross.kind"}


def test_a_deck_for_axles_needs_its_wheel_sensors(tmp_path: Path) -> None:
    short = ('name = "wb"\ndialect', 'name = "wb"\nmode = "axle"\ndialect')
    found = wrong(tmp_path, short)
    assert [m.key.rpartition(".")[2] for m in found] == ["axle_in", "axle_on", "axle_out"]
    assert all("did not stop" in m.expected for m in found)
    wired = ("photocell = 4, ", "photocell = 4, axle_in = 8, axle_on = 9, axle_out = 10, ")
    assert wrong(tmp_path, short, wired) == []
    assert load(tmp_path / "site.toml").lane("L01").weighbridge.mode == "axle"
    rules = ("[lanes.io]", "[lanes.rules]\ntakes_axle_sum = true\n\n[lanes.io]")
    (mistake,) = wrong(tmp_path, rules)
    assert mistake.key == "lanes[L01].rules.takes_axle_sum" and 'mode = "axle"' in mistake.expected
    assert wrong(tmp_path, short, wired, rules) == []


def test_a_serial_line_has_one_master(tmp_path: Path) -> None:
    scale = 'link = { kind = "modbus-rtu", device = "/dev/ttyS4", unit = 2 }'
    module = ('link = { kind = "modbus-tcp", host = "192.0.2.12", port = 502, unit = 1 }', scale.replace("= 2", "= 1"))
    table = (SCALE, 'name = "wb"\ntable = "laumas"'), (STREAM, scale)
    (mistake,) = wrong(tmp_path, *table, module)
    assert mistake.key == "lanes[L01].io.link" and "lanes L01 weighbridge is on the same wire" in mistake.expected


def test_no_lanes_and_no_keys_are_told(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text("lanes = []\n[clearance]\nkeys = []\n")
    with pytest.raises(SiteFileWrong) as caught:
        load(site)
    told = {m.key: m.expected for m in caught.value.mistakes}
    assert told["lanes"] == "expected at least 1, there are 0"
    assert told["clearance.keys"] == "expected at least 1, there are 0"
    assert told["site"] == told["clearance.url"] == "it must be given"


def test_secrets_are_not_repeated(tmp_path: Path) -> None:
    sealed = re.search(r'sealed = "([^"]+)"', GOOD)
    assert sealed
    found = wrong(tmp_path, (sealed[1], sealed[1][:-8]), ("# password_file =", "password_fil ="))
    said = "\n".join(map(str, found))
    assert len(found) == 2 and sealed[1][:20] not in said and "secrets/broker" not in said


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (b"[site\nid = 1", 1, "is not TOML"),
        (b'[site]\nid = "a"\nid = "b"\n', 3, "is not TOML"),
        (b"\xff\xfe", None, "expected UTF-8"),
        (b"#" * (SITE_FILE_CAP + 1), None, "at most"),
    ],
)
def test_what_is_no_site_file_at_all(tmp_path: Path, text: bytes, line: int | None, expected: str) -> None:
    site = tmp_path / "site.toml"
    site.write_bytes(text)
    with pytest.raises(SiteFileWrong) as caught:
        load(site)
    (mistake,) = caught.value.mistakes
    assert expected in mistake.expected and mistake.line == line


def test_a_register_table_of_the_site(tmp_path: Path) -> None:
    own = """
[[modules]]
name = "acme-16"
source = "ACME-16 user manual 2.1, appendix B"
inputs = { area = "discrete", start = 0, count = 8 }
outputs = { area = "coil", start = 0, count = 8 }
"""
    assert wrong(tmp_path, ('module = "adam-6050"', 'module = "acme-16"'), ("[[trackers]]", own + "[[trackers]]")) == []


@pytest.mark.parametrize(
    ("changes", "key", "expected"),
    [
        ((("photocell = 4", "photocell = 12"),), "inputs.photocell", "a channel from 0 to 11: the module has no more"),
        ((("green = 4", "green = 6"),), "outputs.green", "a channel from 0 to 5"),
        (((", boom_fault = 7", ""), ('inverted = ["boom_fault"]', "")), "inputs.boom_fault", "no_fault_relay = true"),
    ],
)
def test_a_wire_that_ends_nowhere_is_told(
    tmp_path: Path, changes: tuple[tuple[str, str], ...], key: str, expected: str
) -> None:
    [mistake] = wrong(tmp_path, *changes)
    assert mistake.key == f"lanes[L01].io.{key}" and expected in mistake.expected


def test_a_barrier_without_a_fault_contact_says_so(tmp_path: Path) -> None:
    without = ((", boom_fault = 7", ""), ('inverted = ["boom_fault"]', "no_fault_relay = true"))
    assert wrong(tmp_path, *without) == []
    assert load(tmp_path / "site.toml").lane("L01").io.no_fault_relay
    [mistake] = wrong(tmp_path, ('inverted = ["boom_fault"]', 'inverted = ["boom_fault"]\nno_fault_relay = true'))
    assert "one of the two is wrong" in mistake.expected


def test_paths_are_the_files_own(tmp_path: Path) -> None:
    assert wrong(tmp_path, ("# username =", "username ="), ("# password_file =", "password_file =")) == []
    site = load(tmp_path / "site.toml")
    assert site.broker.password_file == tmp_path.resolve() / "secrets" / "broker"


def test_the_rules_of_a_lane_are_those_of_the_interlock(tmp_path: Path) -> None:
    assert set(RulesConfig.model_fields) <= set(Rules.__dataclass_fields__)
    assert wrong(tmp_path, ("# [lanes.rules]", "[lanes.rules]"), ("# gather_s = 30.0", "gather_s = 45")) == []
    assert load(tmp_path / "site.toml").lane("L01").rules.rules() == Rules(gather_s=45)


KEYS = [line for line in GOOD.splitlines() if re.match(r"[a-z_]+ = ", line)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_value_anywhere_is_taken_or_told(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever stands behind a key, loading ends in a site or in mistakes that name the file."""
    line = data.draw(st.sampled_from(KEYS))
    key = line.split(" = ")[0]
    value = data.draw(
        st.sampled_from(
            ['""', "0", "-1", "1e400", "nan", "true", "[]", "[1]", "{}", '{ kind = "tcp" }', '"x y"', "1979-05-27"]
        )
    )
    folder = tmp_path_factory.mktemp("any")
    for mistake in wrong(folder, (line, f"{key} = {value}")):
        assert Path(mistake.file) == folder / "site.toml" and mistake.key and mistake.expected


def test_the_example_says_no_more_than_it_means() -> None:
    """Commented options are options: uncommented one by one they are known keys."""
    tomllib.loads(GOOD)
    for option in re.findall(r"^# ([a-z_]+) = (\S+)", GOOD, re.MULTILINE):
        assert option[0] in EXAMPLE.with_name("schema.json").read_text(encoding="utf-8"), option
