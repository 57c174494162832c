"""Systems: written by whoever has seen the last revision, worked on by whoever holds the lease.

A *claim* is a lease on one system with its fence, a number that grows with every claim: what an older holder still
wants to write is refused. People's wishes need no lease; they bump the revision, and a holder whose decision was
made on an older one starts again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from puddle.server.domain.catalog import InstanceType
from puddle.server.domain.records import Meter, System
from puddle.server.domain.states import FROM_REST, HOLDING, Status
from puddle.server.store.rows import Rows, batched
from puddle.server.store.schema import ALIVE, CONSUMES, INSTANCE_TYPES, SESSIONS, SYSTEMS, USERS

NEVER_AGAIN = 2**62
"""When a system is looked at that needs no looking after."""

_T = SYSTEMS.table
_SEEN = sa.select(*SYSTEMS.columns, USERS.c.name.label("owner_name"), *INSTANCE_TYPES.columns).select_from(
    _T.outerjoin(USERS.table, USERS.c.id == SYSTEMS.c.owner_id).outerjoin(
        INSTANCE_TYPES.table, INSTANCE_TYPES.c.id == SYSTEMS.c.instance_type_id
    )
)


_LEASE = sa.update(_T).returning(*SYSTEMS.columns, _T.c.fence)
_RELEASE = (
    sa.update(_T)
    .where(SYSTEMS.c.id == sa.bindparam("of"), _T.c.fence == sa.bindparam("held", type_=sa.BigInteger))
    .values(
        lease_until=0,
        look_at=sa.case(
            (
                SYSTEMS.c.revision == sa.bindparam("seen", type_=sa.BigInteger),
                sa.bindparam("next", type_=sa.BigInteger),
            ),
            else_=_T.c.look_at,
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on a system: nobody else works on it until the lease ends."""

    system: System
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A lease to end with nothing to write. `look_at` counts only if the record is still at `revision`."""

    claim: Claim
    revision: int
    look_at: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """The encrypted password of a system, as it was at a revision."""

    system_id: str
    revision: int
    secret: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A system with what people want to see beside it. `memo`: what readers made of it, kept as long as it is."""

    system: System
    owner_name: str
    instance_type: InstanceType
    memo: dict[tuple[str, bool, bool], Any] = field(default_factory=dict, compare=False, repr=False)


class Systems(Rows[System]):
    """The systems within a transaction."""

    kept = SYSTEMS

    def create(self, system: System, look_at: int) -> None:
        """Keep a new system. Raises sqlalchemy.exc.IntegrityError where its owner has one of that name."""
        self._connection.execute(sa.insert(_T), {**SYSTEMS.values(system), "look_at": look_at})

    def write(self, system: System, *, look_at: int) -> bool:
        """Write what somebody wishes; False where the record has changed since it was read."""
        return self._write(system, SYSTEMS.c.revision == system.revision, look_at=look_at)

    def _write(self, system: System, *where: sa.ColumnElement[bool], **more: int) -> bool:
        values = SYSTEMS.values(replace(system, revision=system.revision + 1))
        change = sa.update(_T).where(SYSTEMS.c.id == values.pop("id"), *where)
        return self._connection.execute(change, {**values, **more}).rowcount == 1

    # seeing

    def seen(self, system_id: str) -> Seen | None:
        """Return a system as people see it."""
        row = self._connection.execute(_SEEN.where(SYSTEMS.c.id == system_id)).first()
        return None if row is None else self._seen(row)

    def standing(self, ids: Iterable[str]) -> dict[str, Status]:
        """Return where these systems stand, by their ids; those that are not there are left out."""
        query = sa.select(SYSTEMS.c.id, SYSTEMS.c.status)
        found = (self._connection.execute(query.where(SYSTEMS.c.id.in_(some))) for some in batched(ids))
        return {row[0]: Status(row[1]) for rows in found for row in rows}

    def revisions(self) -> list[tuple[str, str, int]]:
        """Return (id, owner's id, revision) of every system that is not terminated: what watchers compare."""
        query = sa.select(SYSTEMS.c.id, SYSTEMS.c.owner_id, SYSTEMS.c.revision)
        return [(row[0], row[1], row[2]) for row in self._connection.execute(query.where(ALIVE))]

    def seen_of(self, ids: Collection[str]) -> list[Seen]:
        """Return systems by their ids as people see them; those that are not there are left out."""
        return [self._seen(row) for row in self._connection.execute(_SEEN.where(SYSTEMS.c.id.in_(ids))).all()]

    def _seen(self, row: sa.Row[*tuple[Any, ...]]) -> Seen:
        width = len(SYSTEMS.columns)
        system = SYSTEMS.of(row)
        there = row[width + 1] is not None
        size = INSTANCE_TYPES.of(row, width + 1) if there else _removed(system, self._last_size(system.id))
        return Seen(system, row[width] or "", size)

    def _last_size(self, system_id: str) -> str:
        """Return what the size of a system's machine was called in its last session."""
        c = SESSIONS.c
        sessions = sa.select(c.text).where(c.subject_id == system_id, c.meter == str(Meter.VM))
        return self._connection.execute(sessions.order_by(c.start.desc()).limit(1)).scalar() or "removed"

    def counts(self) -> dict[Status, int]:
        """Return how many living systems stand where."""
        query = sa.select(SYSTEMS.c.status, sa.func.count()).where(ALIVE).group_by(SYSTEMS.c.status)
        return {Status(row[0]): int(row[1]) for row in self._connection.execute(query)}

    # secrets

    def sealed(self) -> list[Sealed]:
        """Return all encrypted passwords; a terminated system has none any more."""
        query = sa.select(SYSTEMS.c.id, SYSTEMS.c.revision, SYSTEMS.c.secret).where(ALIVE, SYSTEMS.c.secret != "")
        return [Sealed(*row) for row in self._connection.execute(query.order_by(SYSTEMS.c.id))]

    def reseal(self, seen: Sealed, secret: str) -> bool:
        """Write a password that was encrypted again; False where the record has changed since it was seen."""
        where = SYSTEMS.c.id == seen.system_id, SYSTEMS.c.revision == seen.revision
        change = sa.update(_T).where(*where).values(secret=secret, revision=seen.revision + 1)
        return self._connection.execute(change).rowcount == 1

    # leases

    def claim(self, now: int, holder: str, until: int, limit: int) -> list[Claim]:
        """Lease systems that are due and free to `holder`; the longest due first."""
        due = (
            sa.select(SYSTEMS.c.id)
            .where(_T.c.look_at <= now, _T.c.lease_until <= now)
            .order_by(_T.c.look_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        ids = list(self._connection.execute(due).scalars())
        if not ids:
            return []
        lease = _LEASE.where(SYSTEMS.c.id.in_(ids)).values(lease_holder=holder, lease_until=until, fence=_T.c.fence + 1)
        return [Claim(SYSTEMS.of(row), row[-1]) for row in self._connection.execute(lease)]

    def renew(self, claims: Iterable[Claim], until: int) -> None:
        """Extend the leases that are still held."""
        for claim in claims:
            self._connection.execute(sa.update(_T).where(*_held(claim)).values(lease_until=until))

    def decide(self, claim: Claim, system: System, *, look_at: int, keep_lease: bool) -> bool:
        """Write what a holder has decided; False where its lease is gone, or a wish came in between.

        The lease ends with it unless `keep_lease`, and the claim's system is then the one to go on with, one revision
        up.
        """
        more = {} if keep_lease else {"lease_until": 0}
        return self._write(
            system, SYSTEMS.c.revision == system.revision, _T.c.fence == claim.fence, look_at=look_at, **more
        )

    def note_machine(self, claim: Claim, machine_id: str) -> bool:
        """Save a machine's id the moment it exists, whatever was wished meanwhile; False where the lease is gone."""
        change = sa.update(_T).where(*_held(claim)).values(machine_id=machine_id, revision=SYSTEMS.c.revision + 1)
        return self._connection.execute(change).rowcount == 1

    def holds(self, claim: Claim, revision: int) -> bool:
        """Whether the lease is still ours, and nobody has written since `revision`."""
        query = sa.select(sa.literal(1)).where(*_held(claim), SYSTEMS.c.revision == revision)
        return self._connection.execute(query).first() is not None

    def release(self, releases: Sequence[Release]) -> None:
        """End leases without writing anything else. Where somebody has written, the system stays due as they said."""
        if releases:
            values = [
                {"of": it.claim.system.id, "held": it.claim.fence, "seen": it.revision, "next": it.look_at}
                for it in releases
            ]
            self._connection.execute(_RELEASE, values)

    def next_due(self) -> int:
        """Return when the next system is due (unix seconds); NEVER_AGAIN where none ever is."""
        found = self._connection.execute(sa.select(sa.func.min(_T.c.look_at))).scalar()
        return NEVER_AGAIN if found is None else int(found)

    def ahead(self, look_by: int, lease_by: int) -> bool:
        """Whether a system is looked at, or its lease ends, later than can be: the clock was put back."""
        return self._connection.execute(sa.select(sa.exists().where(_ahead(look_by, lease_by)))).scalar_one()

    def bring_back(self, now: int, look_by: int, lease_by: int) -> None:
        """Make these due at `now`. Whoever holds such a lease writes nothing any more: its fence is old then."""
        change = sa.update(_T).where(_ahead(look_by, lease_by))
        self._connection.execute(change.values(look_at=now, lease_until=0))

    # limits

    def held_by(self, owner_ids: Sequence[str]) -> tuple[int, int, int]:
        """Return (systems, running systems, compute units) of these owners together."""
        systems, up, units = zip((0, 0, 0), *self.held_by_each(owner_ids).values(), strict=True)
        return sum(systems), sum(up), sum(units)

    def held_by_each(self, owner_ids: Sequence[str]) -> dict[str, tuple[int, int, int]]:
        """Return the same of each of them by their ids; who has nothing is left out."""
        running, c = sa.case((_may_run(), 1), else_=0), SYSTEMS.c
        query = sa.select(c.owner_id, sa.func.count(), sa.func.sum(running), sa.func.sum(c.cu))
        grouped = query.where(ALIVE, c.owner_id.in_(owner_ids)).group_by(c.owner_id)
        return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in self._connection.execute(grouped)}

    def consumed(self) -> int:
        """Return the compute units that everybody together holds."""
        query = sa.select(sa.func.coalesce(sa.func.sum(SYSTEMS.c.cu), 0)).where(CONSUMES)
        return int(self._connection.execute(query).scalar_one())

    def consuming(self, owner_id: str) -> list[System]:
        """Return the systems of an owner that hold compute units."""
        return self._many(SYSTEMS.c.owner_id == owner_id, CONSUMES, ALIVE, order=(SYSTEMS.c.created,))

    def living_on(self, cloud: str) -> int:
        """Return how many living systems a cloud has."""
        return self._count(SYSTEMS.c.cloud == cloud)

    def made_from(self, image_id: str) -> int:
        """Return how many living systems stand on an image."""
        return self._count(SYSTEMS.c.image_id == image_id)

    def of_type(self, instance_type_id: str) -> int:
        """Return how many living systems have, or are about to have, an instance type."""
        return self._count(
            sa.or_(SYSTEMS.c.instance_type_id == instance_type_id, SYSTEMS.c.target_type_id == instance_type_id)
        )

    def waiting_for(self, snapshot_id: str) -> int:
        """Return how many systems are still being made from a snapshot."""
        return self._count(SYSTEMS.c.source_snapshot_id == snapshot_id, SYSTEMS.c.status == int(Status.INITIALIZING))

    def _count(self, *where: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(_T).where(ALIVE, *where)
        return int(self._connection.execute(query).scalar_one())


def _ahead(look_by: int, lease_by: int) -> sa.ColumnElement[bool]:
    return sa.and_(_T.c.look_at < NEVER_AGAIN, sa.or_(_T.c.look_at > look_by, _T.c.lease_until > lease_by))


def _may_run() -> sa.ColumnElement[bool]:
    """Whether a machine is up, or may be: not that of a stopped system whose disk is copied, say."""
    status = SYSTEMS.c.status
    at_rest = status.in_([int(each) for each in FROM_REST]), SYSTEMS.c.session_id == "", SYSTEMS.c.cu == 0
    return sa.and_(status.in_([int(each) for each in HOLDING]), ~sa.and_(*at_rest))


def _held(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return SYSTEMS.c.id == claim.system.id, _T.c.fence == claim.fence


def _removed(system: System, text: str) -> InstanceType:
    """Stand in for a type that was removed once nothing living had it any more."""
    return InstanceType(
        id=system.instance_type_id, text=text, cloud=system.cloud, cloud_name="", price_micros=0, enabled=False
    )
