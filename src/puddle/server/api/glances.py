"""Systems that were read a moment ago, shown again while their stamps say that nothing has changed."""

from __future__ import annotations

from collections.abc import Sequence

from puddle.server.store import Store
from puddle.server.store.stamps import Stamp
from puddle.server.store.systems import Seen

MOST = 5000
"""How many are kept; when there are more, all are forgotten and read anew as they are asked for."""


class Glances:
    """What was seen under which stamp. Safe to use from several threads: an entry is replaced as a whole."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._kept: dict[str, tuple[Stamp, Seen]] = {}

    def seen(self, store: Store, stamps: Sequence[Stamp]) -> list[Seen]:
        """Return the systems of these stamps.

        One that changes between its stamp and its reading is shown as it has become, and read anew the next time,
        since its stamp has changed too.
        """
        kept = {stamp.id: held for stamp in stamps if (held := self._kept.get(stamp.id)) and held[0] == stamp}
        missing = {stamp.id: stamp for stamp in stamps if stamp.id not in kept}
        if missing:
            with store.reading() as tx:
                found = tx.systems.seen_of(list(missing))
            read = {seen.system.id: (missing[seen.system.id], seen) for seen in found}
            self._keep(read)
            kept |= read
        return [kept[stamp.id][1] for stamp in stamps if stamp.id in kept]

    def _keep(self, read: dict[str, tuple[Stamp, Seen]]) -> None:
        if len(self._kept) + len(read) > MOST:
            self._kept = {}
        self._kept.update(read)
