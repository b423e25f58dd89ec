"""Run as a script by the supervisor: ties this process to its parent's life, then becomes the program it was asked for.

    python -I -S tether.py PARENT_PID PROGRAM [ARGUMENT ...]

The kernel keeps the tie over exec: when the parent dies, even by `kill -9`, so does the program (Linux only; elsewhere
the program just starts). A script of its own rather than a `preexec_fn`, which is unsafe beside threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""


def main() -> None:
    """Never returns."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the tie was made
            sys.exit(1)
    try:
        os.execvp(program[0], program)  # noqa: S606  (no shell is what is wanted)
    except OSError as fault:
        sys.exit(f"cannot start {program[0]}: {fault.strerror}")


if __name__ == "__main__":
    main()
