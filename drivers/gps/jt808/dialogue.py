"""The platform's side of JT/T 808: what a terminal's message means, and what it is answered. Pure.

Every message of a terminal is answered, or it comes again; an answer is not answered. Nothing is commanded: the
platform that tracks trucks at a port has nothing to set in them.

A terminal's number is a claim. With a key, a code made of key and number must be shown before anything is taken from
it; that keeps out who does not know the code, not who reads along: the protocol has no secrecy. A position is a hint.
"""

import hashlib
import hmac
from collections.abc import Iterator

import msgspec

from drivers.gps.assemble import against_clock
from drivers.gps.config import Jt808Config
from drivers.gps.fix import Fix
from drivers.gps.hints import Watch
from drivers.gps.jt808 import messages as m
from drivers.gps.jt808.frames import Message, Packets
from drivers.gps.jt808.location import read_location, to_fix
from drivers.readings import Garbage, Instant, Tally

MAX_TERMINALS = 2000
"""Told apart on one port: more than the trucks in any yard; numbers come off the wire, so there is a ceiling."""
GAP_MOST = 1000
"""Serial numbers that are missing in a row; a larger step is a terminal that counts anew."""
ANEW_BELOW = 16
"""A step back to so small a serial number is a terminal that was switched on again."""
CODE_CHARS = 16
"""Of the code: 64 bits, and short enough for every terminal's memory."""

Word = tuple[str, Fix] | Garbage


class Terminal(msgspec.Struct):
    """What is remembered of one."""

    name: str
    watch: Watch
    serial: int | None = None
    shown: bool = False
    """It has shown its code."""
    registered: str = ""
    """Maker, model and id as it said."""


class Dialogue:
    """All terminals of one port; connections come and go, a terminal may come by another one."""

    def __init__(self, config: Jt808Config, key: bytes | None, tally: Tally) -> None:
        self.tally = tally
        """`words` counts messages, `gaps` serial numbers that never came."""
        self.forgotten = 0
        """Terminals dropped because there were more than MAX_TERMINALS; the one silent longest goes."""
        self._names = {each.phone: each.name for each in config.terminals}
        self._only_listed = config.only_listed
        self._key = key
        self._zone_s = config.zone_h * 3600
        self._late_after_s = config.late_after_s
        self._terminals: dict[str, Terminal] = {}
        """By number, in order of last message."""
        self._serial = 0
        """Of our own messages."""

    def take(self, message: Message, packets: Packets, at: Instant) -> tuple[list[Message], list[Word]]:
        """What to answer, and what was said. `packets` are those of the connection that it came by."""
        self.tally.words += 1
        if message.id & m.FROM_PLATFORM:
            return [], [Garbage(message.body, f"message 0x{message.id:04X} is a platform's, not a terminal's")]
        terminal = self._terminal(message)
        if message.id == m.REGISTRATION:
            return self._register(message, terminal)
        if message.id == m.AUTHENTICATION:
            return self._authenticate(message, terminal)
        if why := self._refusal(message, terminal):
            return self._general(message, m.FAILED), [Garbage(message.body, why)]
        if message.encryption:
            why = f"message 0x{message.id:04X} is encrypted, kind {message.encryption}"
            return self._general(message, m.NOT_SUPPORTED), [Garbage(message.body, why)]
        if message.id == m.ASK_TIME:
            return [m.time_answer(message, at, self._next())], []
        whole = packets.take(message, at)
        words: list[Word] = [*packets.crowded()]
        if isinstance(whole, Garbage):
            return self._general(message, m.WRONG), [*words, whole]
        result = m.OK if message.id in m.TAKEN or message.packet is not None else m.NOT_SUPPORTED
        if whole is not None:
            try:
                words += self._read(whole, terminal, at)
            except ValueError as wrong:
                words.append(Garbage(whole.body, str(wrong)))
                result = m.WRONG
        return self._general(message, result), words

    def resend(self, number: bytes, first: int, missing: list[int]) -> Message:
        """The request for packets that did not come of the message that began with serial number `first`."""
        return m.resend(number, first, missing, self._next())

    def code(self, phone: str) -> str:
        """What this terminal must show."""
        if self._key is None:
            return phone
        return hmac.new(self._key, phone.encode(), hashlib.sha256).hexdigest()[:CODE_CHARS]

    def _terminal(self, message: Message) -> Terminal:
        phone = message.phone
        terminal = self._terminals.pop(phone, None) or Terminal(self._names.get(phone, phone), Watch())
        self._terminals[phone] = terminal
        if len(self._terminals) > MAX_TERMINALS:
            del self._terminals[next(iter(self._terminals))]
            self.forgotten += 1
        anew = message.id in (m.REGISTRATION, m.AUTHENTICATION)
        if terminal.serial is not None and not anew:
            step = (message.serial - terminal.serial) & 0xFFFF
            if not 1 <= step <= GAP_MOST:
                # Said again, an older one that was kept back, or a terminal that has begun anew.
                if message.serial >= ANEW_BELOW:
                    return terminal
            else:
                self.tally.gaps += step - 1
        terminal.serial = message.serial
        return terminal

    def _refusal(self, message: Message, terminal: Terminal) -> str:
        if self._only_listed and message.phone not in self._names:
            return f"terminal {message.phone} is not in the site's list"
        if self._key is not None and not terminal.shown:
            return f"terminal {message.phone} has not shown its code"
        return ""

    def _register(self, message: Message, terminal: Terminal) -> tuple[list[Message], list[Word]]:
        if self._only_listed and message.phone not in self._names:
            refused = m.registration_answer(message, m.NO_SUCH_TERMINAL, "", self._next())
            return [refused], [Garbage(message.body, f"terminal {message.phone} is not in the site's list")]
        words: list[Word] = []
        try:
            who = m.read_registration(message)
            terminal.registered = f"{who.maker} {who.model} {who.terminal}".strip()
        except ValueError as wrong:
            # Its number is enough to go on: what it says of itself is not used.
            words.append(Garbage(message.body, str(wrong)))
        return [m.registration_answer(message, m.REGISTERED, self.code(message.phone), self._next())], words

    def _authenticate(self, message: Message, terminal: Terminal) -> tuple[list[Message], list[Word]]:
        try:
            code = m.read_authentication(message)
        except ValueError as wrong:
            return self._general(message, m.WRONG), [Garbage(message.body, str(wrong))]
        if self._only_listed and message.phone not in self._names:
            return self._general(message, m.FAILED), [
                Garbage(b"", f"terminal {message.phone} is not in the site's list")
            ]
        terminal.shown = self._key is None or hmac.compare_digest(code.encode(), self.code(message.phone).encode())
        if not terminal.shown:
            # The code itself is not kept: it may be the right one of another terminal.
            return self._general(message, m.FAILED), [Garbage(b"", f"terminal {message.phone} showed a wrong code")]
        return self._general(message, m.OK), []

    def _read(self, message: Message, terminal: Terminal, at: Instant) -> Iterator[Word]:
        """Raises ValueError for a body of which nothing can be read."""
        if message.id == m.LOCATION:
            yield terminal.name, self._fix(terminal, message.body, at, "0200")
        elif message.id == m.LOCATION_ANSWER:
            yield terminal.name, self._fix(terminal, message.body[2:], at, "0201")
        elif message.id == m.BATCH:
            batch = m.read_batch(message.body)
            for body in batch.bodies:
                try:
                    yield terminal.name, self._fix(terminal, body, at, "0704", historical=batch.blind_spot)
                except ValueError as wrong:
                    yield Garbage(body, str(wrong))
            if not batch.whole:
                yield Garbage(message.body, f"a batch damaged after {len(batch.bodies)} positions")

    def _fix(self, terminal: Terminal, body: bytes, at: Instant, source: str, *, historical: bool = False) -> Fix:
        fix = to_fix(read_location(body), at, source=source, historical=historical, zone_s=self._zone_s)
        return terminal.watch.take(against_clock(fix, self._late_after_s))

    def _general(self, message: Message, result: int) -> list[Message]:
        if message.id in m.ANSWERS:
            return []
        return [m.general_answer(message, result, self._next())]

    def _next(self) -> int:
        self._serial = (self._serial + 1) & 0xFFFF
        return self._serial
