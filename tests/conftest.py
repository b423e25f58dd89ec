"""What several rooms' tests need: servers of the machine, asked for by name."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
"""How long one example takes says how busy the machine is, and nothing about what is tested."""

DEBIAN = {
    "mosquitto": "apt-get install mosquitto",
    "influxd": "apt-get install influxdb",
    "nginx": "apt-get install nginx-light",
    "victoria-metrics": "apt-get install victoria-metrics",
    "postgres": "apt-get install postgresql",
    "initdb": "apt-get install postgresql",
    "chromium": "apt-get install chromium",
}
BESIDE_THE_PATH = (Path("/usr/sbin"), Path("/usr/local/sbin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin")))


def find(program: str) -> Path | None:
    """Where a program of this machine is; Debian keeps some beside the path."""
    found = shutil.which(program)
    if found:
        return Path(found)
    return next((d / program for d in BESIDE_THE_PATH if (d / program).exists()), None)


@pytest.fixture(scope="session")
def require() -> Callable[[str], Path]:
    """`require("mosquitto")` gives its path. Missing: the test is skipped and says what to install, or it fails when
    QUAYGATE_REQUIRE_ALL=1, so that a suite that must be whole cannot be thinned in silence."""

    def ask(program: str) -> Path:
        path = find(program)
        if path is None:
            word = f"{program} is not on this machine ({DEBIAN.get(program, 'install it')})"
            if os.environ.get("QUAYGATE_REQUIRE_ALL") == "1":
                pytest.fail(word)
            pytest.skip(word)
        return path

    return ask
