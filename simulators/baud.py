"""What a serial port set to the wrong speed makes of a line: the bits as they stand in time, sampled again.

A character is a start bit (0), eight data bits, lowest first, and a stop bit (1); the line rests at 1. A receiver waits
for the edge to 0, looks at the middle of each of its own bit times, and takes what it finds there for the character.
"""


def heard_at(data: bytes, sent_baud: int, read_baud: int) -> bytes:
    """The characters that a receiver at `read_baud` makes of `data` sent without a pause at `sent_baud`."""
    line = [bit for byte in data for bit in (0, *(byte >> place & 1 for place in range(8)), 1)]
    ratio = sent_baud / read_baud

    def level(at: float) -> int:
        """At this many sent bit times from the beginning."""
        return line[int(at)] if at < len(line) else 1

    heard = bytearray()
    at = 0.0
    while at < len(line):
        if level(at):
            at = float(int(at) + 1)
            continue
        heard.append(sum(level(at + ratio * (place + 1.5)) << place for place in range(8)))
        at += ratio * 9.5
    return bytes(heard)
