"""Systems as people see them: with their owner's name and their instance type."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from puddle.server.domain.catalog import InstanceType
from puddle.server.domain.records import System
from puddle.server.domain.states import Status
from puddle.server.store.prepared import Prepared
from puddle.server.store.schema import INSTANCE_TYPES, SYSTEMS, USERS

MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Seen:
    """A system with what people want to see beside it."""

    system: System
    owner_name: str
    instance_type: InstanceType


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which systems to list; what is empty does not matter. `after`: the (created, id) of the last one seen."""

    owner_id: str = ""
    cloud: str = ""
    product: str = ""
    name: str = ""
    statuses: tuple[Status, ...] = ()
    include_terminated: bool = False
    after: tuple[int, str] = (0, "")
    limit: int = 100


class Memory:
    """Records as they were read last, by id: read again only where their revision is another.

    For what is committed, never within a transaction that writes: there a revision may still be taken back.
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        """`most`: records that are kept; those that were read longest ago go first."""
        self._most = most
        self._known: OrderedDict[str, System] = OrderedDict()

    def at(self, system_id: str, revision: int) -> System | None:
        """Return a record as it was at a revision, where that is known."""
        known = self._known.get(system_id)
        return known if known is not None and known.revision == revision else None

    def keep(self, system: System) -> None:
        """Remember a record."""
        self._known[system.id] = system
        while len(self._known) > self._most:
            self._known.popitem(last=False)


class Sight:
    """Looking at systems within a transaction. `memory` is given where it only reads."""

    def __init__(self, connection: sa.Connection, memory: Memory | None) -> None:
        """See the class."""
        self._connection = connection
        self._memory = memory

    def one(self, system_id: str) -> Seen | None:
        """Return a system."""
        found = self._seen(_ONE.rows(self._connection, {"wanted_id": system_id}))
        return found[0] if found else None

    def page(self, wanted: Wanted) -> list[Seen]:
        """Return systems from the oldest to the newest, `wanted.limit` at most."""
        values = _values(wanted)
        return self._seen(_page(frozenset(values), wanted.include_terminated).rows(self._connection, values))

    def several(self, ids: Collection[str]) -> list[Seen]:
        """Return systems by their ids; those that are not there are left out."""
        return self._seen(self._connection.execute(_BRIEF.where(SYSTEMS.c.id.in_(ids))))

    def _seen(self, rows: Iterable[Any]) -> list[Seen]:
        """Return what brief rows are about; only the records nobody remembers are read in full."""
        brief = list(rows)
        known = {row[0]: self._memory.at(row[0], row[1]) if self._memory else None for row in brief}
        records = {**known, **self._read([which for which, record in known.items() if record is None])}
        sizes: dict[str, InstanceType] = {}
        return [Seen(record, row[2] or "", self._size(sizes, record)) for row in brief if (record := records[row[0]])]

    def _read(self, ids: Sequence[str]) -> dict[str, System]:
        read = {}
        if len(ids) == 1:
            rows: Iterable[Any] = _RECORD.rows(self._connection, {"wanted_id": ids[0]})
        else:
            rows = self._connection.execute(_RECORDS.where(SYSTEMS.c.id.in_(ids))) if ids else ()
        for row in rows:
            system = read[row[_ID]] = SYSTEMS.of(row)
            if self._memory:
                self._memory.keep(system)
        return read

    def _size(self, sizes: dict[str, InstanceType], system: System) -> InstanceType:
        """Return a system's type; one may be removed once nothing living has it."""
        if not sizes:
            sizes.update((row[_TYPE_ID], INSTANCE_TYPES.of(row)) for row in _TYPES.rows(self._connection, {}))
        return sizes.get(system.instance_type_id) or InstanceType(
            id=system.instance_type_id, text="removed", cloud=system.cloud, cloud_name="", price_micros=0, enabled=False
        )


_RECORDS = sa.select(*SYSTEMS.columns)
_RECORD = Prepared(_RECORDS.where(SYSTEMS.c.id == sa.bindparam("wanted_id")))
_TYPES = Prepared(sa.select(*INSTANCE_TYPES.columns))
_BRIEF = sa.select(SYSTEMS.c.id, SYSTEMS.c.revision, USERS.c.name).select_from(
    SYSTEMS.table.outerjoin(USERS.table, USERS.c.id == SYSTEMS.c.owner_id)
)
_ONE = Prepared(_BRIEF.where(SYSTEMS.c.id == sa.bindparam("wanted_id")))
_ID, _TYPE_ID = SYSTEMS.fields.index("id"), INSTANCE_TYPES.fields.index("id")


def _values(wanted: Wanted) -> Mapping[str, Any]:
    """Return the parameters of a page: of what does not matter there is none."""
    values: dict[str, Any] = {
        name: value for name in ("owner_id", "cloud", "product", "name") if (value := getattr(wanted, name))
    }
    values |= {f"status_{number}": int(status) for number, status in enumerate(wanted.statuses)}
    if wanted.after != (0, ""):
        values |= {"after_created": wanted.after[0], "after_id": wanted.after[1]}
    return {**values, "most": wanted.limit}


@cache
def _page(given: frozenset[str], include_terminated: bool) -> Prepared:
    """Return the statement for the parameters that are given; there are only so many sets of them."""
    c = SYSTEMS.c
    where = [c[name] == sa.bindparam(name) for name in ("owner_id", "cloud", "product", "name") if name in given]
    if statuses := sorted(name for name in given if name.startswith("status_")):
        where.append(sa.or_(*(c.status == sa.bindparam(name) for name in statuses)))
    if not include_terminated:
        where.append(c.status != int(Status.TERMINATED))
    if "after_id" in given:
        created = sa.bindparam("after_created", type_=sa.BigInteger)
        where.append(sa.or_(c.created > created, sa.and_(c.created == created, c.id > sa.bindparam("after_id"))))
    most = sa.bindparam("most", type_=sa.Integer)
    return Prepared(_BRIEF.where(*where).order_by(c.created, c.id).limit(most))
