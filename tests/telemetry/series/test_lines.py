import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.series.base import Point
from telemetry.series.lines import Lines, curve_query, identifier, text


def parse(line: str) -> tuple[str, dict[str, str], dict[str, float], int]:
    """InfluxDB's own reading of a line, after its reference."""
    head, fields, at = re.split(r"(?<!\\) ", line)
    measurement, *tags = re.split(r"(?<!\\),", head)

    def plain(word: str) -> str:
        return re.sub(r"\\([,= ])", r"\1", word)

    pairs = [re.split(r"(?<!\\)=", t) for t in tags]
    values = [re.split(r"(?<!\\)=", f) for f in re.split(r"(?<!\\),", fields)]
    return plain(measurement), {plain(k): plain(v) for k, v in pairs}, {plain(k): float(v) for k, v in values}, int(at)


words = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\\"), min_size=1, max_size=12)


@settings(max_examples=100, deadline=None)
@given(
    measurement=words,
    tags=st.dictionaries(words, words, max_size=4),
    fields=st.dictionaries(words, st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4),
    at=st.integers(0, 4_000_000_000_000),
)
def test_a_line_says_what_the_point_said(
    measurement: str, tags: dict[str, str], fields: dict[str, float], at: int
) -> None:
    line, values, refused = Lines().line(Point(measurement, tuple(sorted(tags.items())), fields, at / 1000))
    assert (values, refused) == (len(fields), 0)
    assert parse(line) == (measurement, tags, fields, at)


def test_what_is_no_number_is_left_out_and_counted() -> None:
    tags = (("node", "L01"),)
    assert Lines().line(Point("m", tags, {"a": float("nan"), "b": 1.0}, 1.5)) == ("m,node=L01 b=1.0 1500", 1, 1)
    assert Lines().line(Point("m", tags, {"a": float("inf")}, 1.5)) == ("", 0, 1)
    assert Lines().line(Point("m", tags, {"a": 1.0}, float("nan"))) == ("", 0, 1)


def test_a_line_is_one_line_and_swallows_nothing() -> None:
    line, _, _ = Lines().line(Point("m", (("node", "a\nb"), ("site", "end\\"), ("x", "")), {"v": 1.0}, 0))
    assert line == "m,node=a\\ b,site=end/ v=1.0 0"


@pytest.mark.parametrize(("raw", "quoted"), [("it's", "'it\\'s'"), ("\\", "'\\\\'"), ("a'; DROP x", "'a\\'; DROP x'")])
def test_texts_cannot_leave_their_quotes(raw: str, quoted: str) -> None:
    assert text(raw) == quoted
    assert identifier('a"b') == '"a\\"b"'
    assert quoted in curve_query("m", "f", {"node": raw}, 0, 1, 1)
