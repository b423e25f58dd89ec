"""Everything that can go wrong between us and an instrument.

    DriverFault
    ├── LinkFault               the wire
    │   ├── OpenFailed          nobody there, port missing, refused          (retryable)
    │   ├── LinkLost            was there, is gone                           (retryable)
    │   └── NoAnswer            a named deadline passed in silence           (retryable)
    ├── OurMistake              we asked for something that makes no sense
    ├── TheirMistake            the answer breaks the protocol
    ├── Refused                 the instrument said no, with its code
    └── NotConfirmed            written, but no read-back says it happened   (the one that must ring)

Overload, motion, no fix, dashes are not faults: the instrument tells the truth, and says so in the reading's quality.
"""


class DriverFault(Exception):
    """Root of all driver faults. `where` names the instrument or link as the site file does."""

    retryable = False

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


class LinkFault(DriverFault):
    """The wire, not the instrument."""

    retryable = True


class OpenFailed(LinkFault):
    """The link could not be opened."""


class LinkLost(LinkFault):
    """The link was open and broke, or the other side closed it."""


class NoAnswer(LinkFault):
    """A named deadline passed without the bytes that were due."""


class OurMistake(DriverFault):
    """The request itself is wrong: a register that does not exist, a text too long for the sign."""


class TheirMistake(DriverFault):
    """The answer breaks the protocol in a way that resynchronising cannot mend."""


class Refused(DriverFault):
    """The instrument understood and declined; `code` is its own word for why."""

    def __init__(self, where: str, what: str, code: int | str) -> None:
        super().__init__(where, f"{what} (code {code})")
        self.code = code


class NotConfirmed(DriverFault):
    """A command was written once and no read-back confirmed it in time. It is not written again."""
