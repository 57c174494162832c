"""Sessions of meters, and the ledger they are booked in.

A session is open while its meter runs. Booking writes the span since the last booking into the ledger, whose entries
nobody can change afterwards, so that the entries of a session follow one another from its start: their sum is the
session's price × seconds, whatever the number of bookings.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from puddle.server.domain.records import LedgerEntry, Meter, Session
from puddle.server.store.prepared import Prepared
from puddle.server.store.rows import Rows
from puddle.server.store.schema import LEDGER, SESSIONS

_C = SESSIONS.c
_UP_TO_NOW = sa.case((_C.end == 0, sa.bindparam("now", type_=sa.BigInteger())), else_=_C.end)
_DISK_COST = Prepared(
    sa.select(sa.func.sum(_C.price_micros * (_UP_TO_NOW - _C.start))).where(
        _C.subject_id == sa.bindparam("system_id", type_=sa.Text()), _C.meter == str(Meter.DISK)
    )
)


def disk_cost_alone(engine: sa.Engine, system_id: str, now: int) -> int:
    """Return what the disk of a system ran up while its machine was down, in millionths × seconds, up to now."""
    (told,) = _DISK_COST.ask_alone(engine, system_id=system_id, now=now)
    return int(told[0] or 0)


class Sessions(Rows[Session]):
    """The sessions within a transaction."""

    kept = SESSIONS

    def open(self, session: Session) -> None:
        """Begin a session; nothing where it has begun."""
        if self.get(session.id) is None:
            self.add(session)

    def close(self, session_id: str, end: int) -> None:
        """End a session and book the rest of it; nothing where it has ended."""
        session = self._alone(session_id)
        if session is None or session.end:
            return
        end = max(end, session.booked)
        self.put(replace(self._booked(session, end), end=end))

    def book(self, session_id: str, until: int) -> None:
        """Write the span of a session since its last booking into the ledger; nothing where it has ended."""
        session = self._alone(session_id)
        if session is not None and not session.end and until > session.booked:
            self.put(self._booked(session, until))

    def _alone(self, session_id: str) -> Session | None:
        """Read a session that nobody else books until this transaction ends: no span is booked twice."""
        query = sa.select(*SESSIONS.columns).where(_C.id == session_id).with_for_update()
        row = self._connection.execute(query).first()
        return None if row is None else SESSIONS.of(row)

    def _booked(self, session: Session, until: int) -> Session:
        if until <= session.booked:
            return session
        entry = LedgerEntry(
            id=str(uuid.uuid4()),
            session_id=session.id,
            meter=session.meter,
            system_id=session.system_id,
            owner_id=session.owner_id,
            price_micros=session.price_micros,
            start=session.booked,
            end=until,
        )
        self._connection.execute(sa.insert(LEDGER.table), LEDGER.values(entry))
        return replace(session, booked=until)

    def running(self, subject_id: str, meter: Meter) -> Session | None:
        """Return the open session of a meter, if there is one."""
        return self._one(_C.subject_id == subject_id, _C.meter == str(meter), _C.end == 0)

    def unbooked(self, before: int, limit: int = 1000) -> list[Session]:
        """Return open sessions that were last booked before then."""
        return self._many(_C.end == 0, _C.booked < before, order=(_C.booked,), limit=limit)

    def unbooked_of(self, session_ids: Sequence[str], before: int) -> list[Session]:
        """Return those of these sessions that are open and were last booked before then."""
        if not session_ids:
            return []
        return self._many(_C.id.in_(session_ids), _C.end == 0, _C.booked < before, order=(_C.booked,))

    def of_system(self, system_id: str) -> list[Session]:
        """Return all sessions of a system, the oldest first."""
        return self._many(_C.system_id == system_id, order=(_C.start, _C.id))

    def within(self, start: int, end: int, owner_id: str = "") -> list[Session]:
        """Return the sessions that ran at some time in [start, end); of everybody where `owner_id` is empty."""
        mine = [_C.owner_id == owner_id] if owner_id else []
        open_ones, ended = (self._many(*mine, ran, _C.start < end) for ran in (_C.end == 0, _C.end > start))
        return sorted(open_ones + ended, key=lambda it: (it.owner_id, it.system_id, it.start))

    def spent(self, owner_ids: Sequence[str], since: int, now: int) -> int:
        """Return what these owners ran up in [since, now), in millionths × seconds; open sessions count up to now."""
        return sum(self.spent_by_each(owner_ids, since, now).values())

    def spent_by_each(self, owner_ids: Sequence[str], since: int, now: int) -> Counter[str]:
        """Return the same of each of them by their ids."""
        end = sa.case((_C.end == 0, now), (_C.end > now, now), else_=_C.end)
        start = sa.case((_C.start < since, since), else_=_C.start)
        query = sa.select(_C.owner_id, sa.func.sum(_C.price_micros * (end - start)))
        query = query.where(_C.owner_id.in_(owner_ids), _C.start < now).group_by(_C.owner_id)
        spent: Counter[str] = Counter()
        for ran in (_C.end == 0, _C.end > since):  # one by one: each is a part of an index
            spent.update({row[0]: int(row[1]) for row in self._connection.execute(query.where(ran))})
        return spent


class Ledger(Rows[LedgerEntry]):
    """The ledger within a transaction."""

    kept = LEDGER

    def of_session(self, session_id: str) -> list[LedgerEntry]:
        """Return the entries of a session in the order of time."""
        return self._many(LEDGER.c.session_id == session_id, order=(LEDGER.c.start,))

    def total(self, system_id: str, meter: Meter) -> int:
        """Return what is booked for a system, in millionths × seconds."""
        cost = LEDGER.c.price_micros * (LEDGER.c.end - LEDGER.c.start)
        query = sa.select(sa.func.sum(cost)).where(LEDGER.c.system_id == system_id, LEDGER.c.meter == str(meter))
        return int(self._connection.execute(query).scalar() or 0)
