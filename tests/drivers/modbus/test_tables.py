"""Register tables: closed, and as the manuals have them."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from drivers.link.modbus_config import ModbusConfig, ModbusRtuConfig, ModbusTcpConfig
from drivers.link.modbus_tables import TABLES, Bank, FlashOn, HostWatchdog, ModuleTable, PulseStart, table_named

OWN = """
name = "acme-16"
source = "ACME-16 user manual 2.1, appendix B"
inputs = { area = "discrete", start = 0, count = 8 }
outputs = { area = "coil", start = 0, count = 8 }
pulse = { kind = "flash-on", start = 0x200, unit_s = 0.1 }
watchdog = { enable_register = 10 }
"""


def test_a_table_of_the_sites_own_stands_beside_ours() -> None:
    own = ModuleTable.model_validate(tomllib.loads(OWN))
    assert table_named("acme-16", [own]) is own
    assert table_named("adam-6050", [own]).outputs.start == 16
    with pytest.raises(LookupError, match=r"acme-16, adam-4150.*plain-8ch"):
        table_named("adam-9999", [own])


@pytest.mark.parametrize(
    "change",
    [
        "extra = 1",
        'inputs = { area = "register", start = 0, count = 8 }',
        'inputs = { area = "coil", start = 65535, count = 2 }',
        'inputs = { area = "coil", start = 0, count = 0 }',
        'outputs = { area = "discrete", start = 0, count = 8 }',
        'pulse = { kind = "toggle", start = 0 }',
        'pulse = { kind = "flash-on", start = 0, unit_s = 0 }',
        'name = "ACME 16"',
        'watchdog = { enable_register = 10, set_by = "tool", time_register = 11 }',
        'must_hold = [{ start = 70000, zh = "a", en = "b" }]',
        'source = ""',
    ],
)
def test_a_wrong_table_is_refused(change: str) -> None:
    key = change.split(" = ")[0]
    lines = [line for line in OWN.splitlines() if not line.startswith(f"{key} ")]
    with pytest.raises(ValidationError):
        ModuleTable.model_validate(tomllib.loads("\n".join([*lines, change])))


def test_manual_addresses() -> None:
    """Advantech: DI 00001.., DO 00017..; Moxa: relay 0-5, pulse start 16-21; Waveshare: relay 0-7, flash 0x200."""
    rows = {
        t.name: (t.inputs.area, t.inputs.start, t.inputs.count, t.outputs.start, t.outputs.count, t.pulse)
        for t in TABLES
    }
    assert rows == {
        "adam-6050": ("coil", 0, 12, 16, 6, None),
        "adam-6052": ("coil", 0, 8, 16, 8, None),
        "adam-6060": ("coil", 0, 6, 16, 6, None),
        "adam-4150": ("coil", 0, 7, 16, 8, None),
        "moxa-e1214": ("discrete", 0, 6, 0, 6, PulseStart(start=16)),
        "plain-8ch": ("discrete", 0, 8, 0, 8, FlashOn(start=0x200, unit_s=0.1)),
        "brainboxes-ed-588": ("discrete", 0, 8, 0, 8, None),
        "brainboxes-ed-538": ("discrete", 0, 8, 0, 4, None),
    }


def test_who_cannot_pulse_or_watch_says_so_in_both_languages() -> None:
    for table in TABLES:
        said = table.all_cautions()
        assert said, table.name
        assert all(c.zh and c.en and c.zh != c.en for c in said)
        assert any("watchdog" in c.en for c in said)
        assert (table.pulse is None) == any("cannot pulse" in c.en for c in said)
        assert (table.without_host() is None) == (table.watchdog is not None), "where no register tells, the lane does"


def test_what_silence_does_is_said_by_how_sure_it_is() -> None:
    told = {table.name: said.en for table in TABLES if (said := table.without_host()) is not None}
    own = ModuleTable.model_validate(tomllib.loads(OWN.replace("watchdog = { enable_register = 10 }", "")))
    assert told["adam-6050"] == told["moxa-e1214"] == "host watchdog: only the maker's tool tells"
    assert "stay as they are" in told["plain-8ch"] and "stay as they are" in told["brainboxes-ed-588"]
    assert "adam-4150" not in told
    unknown = own.without_host()
    assert unknown is not None and unknown.en == "no host watchdog in the register table"


def test_a_watchdogs_time_is_as_long_as_asked_or_shorter() -> None:
    watchdog = HostWatchdog(enable_register=260, time_register=488, time_unit_s=0.1)
    assert [watchdog.time(seconds) for seconds in (1.0, 0.3, 1.25, 0.01, 1e9)] == [10, 3, 12, 1, 0xFFFF]


@given(start=st.integers(0, 0x10000), count=st.integers(0, 70))
def test_a_bank_is_inside_the_address_space_or_refused(start: int, count: int) -> None:
    fits = start <= 0xFFFF and 1 <= count <= 64 and start + count <= 0x10000
    try:
        Bank(area="coil", start=start, count=count)
    except ValidationError:
        assert not fits
    else:
        assert fits


def test_links_by_kind() -> None:
    link: TypeAdapter[ModbusTcpConfig | ModbusRtuConfig] = TypeAdapter(ModbusConfig)
    tcp = link.validate_python({"kind": "modbus-tcp", "host": "10.0.3.7"})
    assert (tcp, tcp.label) == (ModbusTcpConfig(host="10.0.3.7"), "modbus-tcp:10.0.3.7:502/1")
    rtu = link.validate_python({"kind": "modbus-rtu", "device": "/dev/ttyS1", "parity": "E"})
    assert rtu.label == "modbus-rtu:/dev/ttyS1@9600/1"
    assert isinstance(rtu, ModbusRtuConfig)
    assert rtu.char_s == pytest.approx(11 / 9600)
    for wrong in (
        {"kind": "modbus-udp", "host": "a"},
        {"kind": "modbus-tcp", "host": ""},
        {"kind": "modbus-tcp", "host": "a", "unit": 256},
        {"kind": "modbus-rtu", "device": "a", "unit": 0},
        {"kind": "modbus-rtu", "device": "a", "host": "b"},
    ):
        with pytest.raises(ValidationError):
            link.validate_python(wrong)
