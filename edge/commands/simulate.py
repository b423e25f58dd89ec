"""`simulate`: one simulated device or a whole port, as a process of its own."""

import os
import sys
from collections.abc import Sequence


def simulate(name: str, arguments: Sequence[str]) -> None:
    """Becomes `python -m simulators NAME ...`; never returns. A simulator is a second witness: it is never imported."""
    os.execv(sys.executable, [sys.executable, "-m", "simulators", name, *arguments])  # noqa: S606  (no shell wanted)
