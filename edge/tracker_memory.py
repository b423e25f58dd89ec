"""What the tracker agent remembers over a restart: who is inside which zone, which alarms stand, how the seals were."""

import logging
import os
from pathlib import Path

import msgspec

from telemetry.payloads.lane import AlarmBody

FILE = "zones.json"
_log = logging.getLogger(__name__)


class Memory(msgspec.Struct, frozen=True):
    """`sides`: by tracker and zone, whether it is inside. `seals`: the last state of each."""

    sides: dict[str, dict[str, bool]] = {}
    alarms: list[AlarmBody] = []
    seals: dict[str, str] = {}


def recall(folder: Path) -> Memory:
    """Nothing, when there is no file or it is no such file: then trackers are found where they are. Blocking."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Memory)
    except FileNotFoundError:
        return Memory()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as wrong:
        _log.warning("%s cannot be read (%s): trackers are taken as seen for the first time", path, wrong)
        return Memory()


def remember(folder: Path, memory: Memory) -> None:
    """Whole or not at all. A disk that fails is told in the log, and costs no more than a restart would. Blocking."""
    path = folder / FILE
    fresh = path.with_suffix(".new")
    try:
        fresh.write_bytes(msgspec.json.encode(memory))
        os.replace(fresh, path)  # noqa: PTH105 - the same, and known to replace in one step
    except OSError as wrong:
        _log.error("%s cannot be written: %s", path, wrong.strerror)
