"""What the sweep has seen that should not be so, and since when: it is acted on once it was so for a while.

Kept here and not in a process, so that a restart does not begin anew, and several servers see with the same eyes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from puddle.server.domain.records import Oddity
from puddle.server.store.rows import Rows
from puddle.server.store.schema import ODDITIES

_T = ODDITIES.table
_C = ODDITIES.c


@dataclass(frozen=True, slots=True)
class Odd:
    """Something that should not be so at a cloud. `kind`: "machine", "snapshot" or "lost"."""

    kind: str
    id: str


class Oddities(Rows[Oddity]):
    """The oddities within a transaction."""

    kept = ODDITIES

    def on(self, cloud: str) -> list[Oddity]:
        """Return what is known of a cloud, in an order of its own."""
        return self._many(_C.cloud == cloud, order=(_C.kind, _C.id))

    def note(self, cloud: str, odd: Collection[Odd], now: int) -> None:
        """Remember what is odd at a cloud, each since it was first seen, and forget all else of that cloud.

        Whoever does so holds a lock of that cloud's sweep.
        """
        known = {Odd(it.kind, it.id): it for it in self.on(cloud)}
        for gone in known.keys() - odd:
            self._connection.execute(sa.delete(_T).where(*_is(known[gone])))
        for new in odd - known.keys():
            self.add(Oddity(cloud=cloud, kind=new.kind, id=new.id, since=now))
        later = sa.update(_T).where(_C.cloud == cloud, _C.since > now)
        self._connection.execute(later.values(since=now))  # the clock was put back

    def tell(self, oddity: Oddity) -> bool:
        """Note that people are told of it; False where they were already."""
        change = sa.update(_T).where(*_is(oddity), ~_C.told).values(told=True)
        return self._connection.execute(change).rowcount == 1


def _is(oddity: Oddity) -> tuple[sa.ColumnElement[bool], ...]:
    return _C.cloud == oddity.cloud, _C.kind == oddity.kind, _C.id == oddity.id
