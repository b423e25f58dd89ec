"""How the command line speaks: what was asked for goes to standard output, everything else to standard error."""

import logging
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Exit(IntEnum):
    """Exit codes."""

    WELL = 0
    NOT_WELL = 1
    """Done as asked, and the answer is no: a book is broken, an instrument is silent, a day went wrong."""
    WRONG = 2
    """The command or the site file must be mended first."""
    MISSING = 3
    """Something that is needed is not there: a file, a port, a broker."""
    INTERRUPTED = 130


class Stop(Exception):
    """Ends the command with a sentence for the person who must act, and an exit code."""

    def __init__(self, sentence: str, code: Exit) -> None:
        super().__init__(sentence)
        self.code = code


def line(text: str) -> None:
    """One line of the answer, as it is, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def reader_may_leave() -> Generator[None]:
    """`quaygate decode ... | head` is no fault: when nobody reads on, the command ends."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered goes nowhere


def log_to_stderr(level: int = logging.INFO) -> None:
    """For processes that run: time (the machine's), level, who, what."""
    _log_to(logging.StreamHandler(sys.stderr), level)


def log_to_file(path: Path) -> None:
    """For a process whose terminal shows something else: all goes to the file, warnings to the terminal as well."""
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.WARNING)
    _log_to(logging.FileHandler(path, encoding="utf-8"), logging.INFO)
    terminal.setFormatter(logging.Formatter(LOG_FORMAT, LOG_TIME))
    logging.getLogger().addHandler(terminal)


LOG_FORMAT, LOG_TIME = "%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s", "%H:%M:%S"


def _log_to(handler: logging.Handler, level: int) -> None:
    logging.basicConfig(level=level, handlers=[handler], format=LOG_FORMAT, datefmt=LOG_TIME, force=True)
    for chatty in ("pymodbus", "httpx", "httpcore", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
