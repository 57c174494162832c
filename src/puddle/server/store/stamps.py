"""Stamps: validators that tell whether anything about a system has changed since it was read, as ETags do.

Reading a system means fifty columns and as many conversions; reading its stamp means a handful. What was read under a
stamp may be shown again while the stamp is the same. What a stamp does not cover is asked for each time: snapshots
(`has_snapshots` says whether there are any), and whatever follows from the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from puddle.server.domain.states import Status
from puddle.server.store.prepared import Prepared
from puddle.server.store.rows import Where
from puddle.server.store.schema import ALIVE, INSTANCE_TYPES, SNAPSHOTS, SYSTEMS, THERE, USERS


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


class Stamp(NamedTuple):
    """A system's id, and all that has to be the same for it to look the same."""

    id: str
    revision: int
    owner_name: str
    type_text: str
    price_micros: int
    gpu_count: int
    gpu_type: str
    has_snapshots: int


_HAS_SNAPSHOTS = (  # of each system by itself: asked whether one exists, a database may read all there are
    sa.select(sa.literal_column("1"))
    .where(SNAPSHOTS.c.system_id == SYSTEMS.c.id, THERE)
    .limit(sa.literal_column("1"))
    .correlate(SYSTEMS.table)
    .scalar_subquery()
)
_STAMPS = sa.select(
    SYSTEMS.c.id,
    SYSTEMS.c.revision,
    USERS.c.name,
    INSTANCE_TYPES.c.text,
    INSTANCE_TYPES.c.price_micros,
    INSTANCE_TYPES.c.gpu_count,
    INSTANCE_TYPES.c.gpu_type,
    sa.func.coalesce(_HAS_SNAPSHOTS, sa.literal_column("0")),
).select_from(
    SYSTEMS.table.outerjoin(USERS.table, USERS.c.id == SYSTEMS.c.owner_id).outerjoin(
        INSTANCE_TYPES.table, INSTANCE_TYPES.c.id == SYSTEMS.c.instance_type_id
    )
)
_ONE = Prepared(_STAMPS.where(SYSTEMS.c.id == sa.bindparam("id")))


def stamp_alone(engine: sa.Engine, system_id: str) -> Stamp | None:
    """Return the stamp of a system."""
    rows = _ONE.ask_alone(engine, id=system_id)
    return Stamp._make(rows[0]) if rows else None


def stamps_alone(engine: sa.Engine, wanted: Wanted) -> list[Stamp]:
    """Return the stamps of the systems that are wanted, from the oldest to the newest, `wanted.limit` at most."""
    given = {name: getattr(wanted, name) for name in _FILTERS if getattr(wanted, name)}
    created, last = wanted.after
    values = {**given, "limit": wanted.limit, "created": created, "last": last}
    values |= {f"asked_{number}": int(status) for number, status in enumerate(wanted.statuses)}
    terminated = wanted.include_terminated and (not wanted.statuses or Status.TERMINATED in wanted.statuses)
    shape = _shape(tuple(given), len(wanted.statuses), terminated, wanted.after != (0, ""))
    return [Stamp._make(row) for row in shape.ask_alone(engine, **values)]


_FILTERS = ("owner_id", "cloud", "product", "name")


@cache
def _shape(filters: tuple[str, ...], statuses: int, include_terminated: bool, goes_on: bool) -> Prepared:
    """Return the query for a kind of page: these filters are given, and it is (not) the first one."""
    c = SYSTEMS.c
    where: list[Where] = [c[name] == sa.bindparam(name) for name in filters]
    if statuses:
        where.append(c.status.in_([_parameter(f"asked_{number}", sa.Integer()) for number in range(statuses)]))
    if not include_terminated:
        where.append(ALIVE)
    if goes_on:
        created, last = _parameter("created", sa.BigInteger()), _parameter("last", sa.Text())
        where.append(sa.tuple_(c.created, c.id) > sa.tuple_(created, last))
    query = _STAMPS.where(*where).order_by(c.created, c.id).limit(_parameter("limit", sa.Integer()))
    return Prepared(query)


def _parameter(name: str, kind: sa.types.TypeEngine[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind)
