"""`quaygate xray verify` tells a whole archive from one that was touched."""

from pathlib import Path

import pytest

from edge.commands.words import Exit, Stop
from edge.commands.xray import verify
from tests.vision.xray.samples import small_scan
from vision.xray.store import Archive


def test_a_whole_archive_and_a_touched_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = Archive(tmp_path)
    path = archive.path(archive.keep(small_scan(40, 64)).digest)
    assert verify(tmp_path) is Exit.WELL
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    assert verify(tmp_path) is Exit.NOT_WELL
    assert "hash" in capsys.readouterr().out
    with pytest.raises(Stop, match="no archive"):
        verify(tmp_path / "none")
