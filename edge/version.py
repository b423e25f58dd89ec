"""The version of what is installed."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("quaygate")
    except PackageNotFoundError:  # run from the tree
        return "0"


VERSION = _installed()
