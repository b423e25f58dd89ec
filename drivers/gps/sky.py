"""GSV sentences -> the satellites in view of one system. Pure. What jamming shows first: all fall silent together."""

from drivers.gps.frames import Sentence
from drivers.gps.sentences import Gsv, Satellite

MAX_GROUPS = 16
"""Talkers of one receiver: seven systems, some under two names."""
MAX_SENTENCES = 16
"""64 satellites of one system on one signal are in view of nobody."""


class Sky:
    """Collects groups; one that is never finished is dropped when the next of its system begins."""

    def __init__(self) -> None:
        self._open: dict[str, list[Gsv]] = {}
        self.unfinished = 0

    def take(self, sentence: Sentence) -> tuple[Satellite, ...] | None:
        """All satellites of the group that this sentence finishes, else None."""
        gsv = sentence.record
        if not isinstance(gsv, Gsv):
            return None
        # Not by signal: groups of one talker follow each other, and some sentences of a group leave the signal out.
        key = sentence.talker
        group = self._open.pop(key, [])
        if gsv.number != len(group) + 1 or (group and group[0].total != gsv.total) or gsv.total > MAX_SENTENCES:
            self.unfinished += bool(group)
            group = []
            if gsv.number != 1 or gsv.total > MAX_SENTENCES:
                return None
        group.append(gsv)
        if gsv.number < gsv.total:
            if len(self._open) < MAX_GROUPS:
                self._open[key] = group
            return None
        try:
            return tuple(each for part in group for each in part.satellites())
        except ValueError:
            self.unfinished += 1
            return None
