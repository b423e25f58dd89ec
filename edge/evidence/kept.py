"""What the recorder has kept of a site, read from its database as it is."""

import math
from collections.abc import Iterable

from edge.config import Site
from telemetry.records import ROWS_CEILING, Records, StoredRecord


async def stored(site: Site, words: Iterable[str]) -> list[StoredRecord]:
    """Every record of the site with one of these words, by node and number. Raises RecordsDown."""
    store = Records(site.records.url_in(site.data))
    await store.open()
    try:
        found: dict[tuple[str, str, int], StoredRecord] = {}
        for word in words:
            before: float | None = None
            while rows := await store.recent(word, limit=ROWS_CEILING, before=before):
                new = {(row.node, row.epoch, row.seq): row for row in rows} | found
                # A page ends within an instant that the next one must begin with.
                before = math.nextafter(rows[-1].at, math.inf)
                if len(new) == len(found):
                    break
                found = new
    finally:
        await store.close()
    return [row for _, row in sorted(found.items()) if row.site == site.id]
