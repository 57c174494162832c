"""A cache of systems, each valid while its stamp (`store.stamps`) is the same."""

from __future__ import annotations

from collections.abc import Sequence

from puddle.server.store import Store
from puddle.server.store.stamps import Stamp
from puddle.server.store.systems import Seen

MAX_ENTRIES = 5000
"""When there are more, the cache is emptied."""


class SystemCache:
    """Systems by id, each with the stamp it was read under. Thread-safe: an entry is replaced as a whole."""

    def __init__(self) -> None:
        """Create an empty cache."""
        self._entries: dict[str, tuple[Stamp, Seen]] = {}

    def get(self, store: Store, stamps: Sequence[Stamp]) -> list[Seen]:
        """Return the systems of these stamps, reading those that are missing or out of date.

        One that changes between the reading of its stamp and its own is returned as it has become, and read again the
        next time, since its stamp has changed too.
        """
        kept = {stamp.id: held for stamp in stamps if (held := self._entries.get(stamp.id)) and held[0] == stamp}
        missing = {stamp.id: stamp for stamp in stamps if stamp.id not in kept}
        if missing:
            with store.reading() as tx:
                found = tx.systems.seen_of(list(missing))
            read = {seen.system.id: (missing[seen.system.id], seen) for seen in found}
            self._keep(read)
            kept |= read
        return [kept[stamp.id][1] for stamp in stamps if stamp.id in kept]

    def _keep(self, read: dict[str, tuple[Stamp, Seen]]) -> None:
        if len(self._entries) + len(read) > MAX_ENTRIES:
            self._entries = {}
        self._entries.update(read)
