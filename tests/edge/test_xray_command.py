"""`quaygate xray verify` tells a whole archive from one that was touched."""

from pathlib import Path

import pytest

from edge.commands.words import Exit, Stop
from edge.commands.xray import export, verify
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


def test_export_writes_beside_nothing_and_replaces_nothing(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    digest = archive.keep(small_scan(40, 64)).digest
    out = tmp_path / "out"
    assert export(digest, archive.folder, out, dicos=True, tiff=True) is Exit.WELL
    short = digest[:16]
    assert sorted(path.name for path in out.iterdir()) == [f"{short}-he.dcs", f"{short}-le.dcs", f"{short}.tif"]
    with pytest.raises(Stop, match="already"):
        export(digest, archive.folder, out, dicos=False, tiff=True)
    with pytest.raises(Stop, match="no scan"):
        export("0" * 64, archive.folder, out, dicos=True, tiff=False)
    with pytest.raises(Stop, match="no digest"):
        export("../x", archive.folder, out, dicos=True, tiff=False)
    with pytest.raises(Stop, match="name a form"):
        export(digest, archive.folder, out, dicos=False, tiff=False)
