"""The audit trail, alerts, reports, and idempotency keys."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from puddle.server.domain.trail import Alert, Event, Report, ReportEntry, ReportStatus
from puddle.server.store.rows import Rows
from puddle.server.store.schema import ALERTS, EVENT_TARGETS, EVENTS, IDEMPOTENCY_KEYS, PENDING, REPORT_ENTRIES, REPORTS


def event_id() -> str:
    """Return an id that sorts after those that were made before, so that events of one second keep their order."""
    return f"evt-{time.time_ns():016x}{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedEvents:
    """Which events to list, the newest first; what is empty does not matter. `before`: the (time, id) seen last."""

    target: str = ""
    actor_id: str = ""
    since: int = 0
    until: int = 0
    before: tuple[int, str] = (0, "")
    limit: int = 100


class Events(Rows[Event]):
    """The audit trail within a transaction. The database lets nobody change it."""

    kept = EVENTS

    def add(self, record: Event) -> None:
        """Write an event, and what it is found by."""
        super().add(record)
        targets = [{"target": target, "time": record.time, "event_id": record.id} for target in set(record.targets)]
        if targets:
            self._connection.execute(sa.insert(EVENT_TARGETS), targets)

    def page(self, wanted: WantedEvents) -> list[Event]:
        """Return events from the newest to the oldest, `wanted.limit` at most."""
        query, time, which = self.kept.select, EVENTS.c.time, EVENTS.c.id
        if wanted.target:  # in the order of its own entries: a target may have few of all events, or a million
            query = query.join(EVENT_TARGETS, EVENT_TARGETS.c.event_id == EVENTS.c.id)
            query = query.where(EVENT_TARGETS.c.target == wanted.target)
            time, which = EVENT_TARGETS.c.time, EVENT_TARGETS.c.event_id
        if wanted.actor_id:
            query = query.where(EVENTS.c.actor_id == wanted.actor_id)
        if wanted.since:
            query = query.where(time >= wanted.since)
        if wanted.until:
            query = query.where(time < wanted.until)
        if wanted.before != (0, ""):
            query = query.where(sa.tuple_(time, which) < sa.tuple_(*wanted.before))
        query = query.order_by(time.desc(), which.desc()).limit(wanted.limit)
        return [EVENTS.of(row) for row in self._connection.execute(query)]


class Alerts(Rows[Alert]):
    """The alerts within a transaction."""

    kept = ALERTS

    def of_owner(self, owner_id: str = "", *, acknowledged: bool = False, limit: int = 500) -> list[Alert]:
        """Return alerts, the newest first; of everybody where `owner_id` is empty."""
        where = [ALERTS.c.owner_id == owner_id] if owner_id else []
        if not acknowledged:
            where.append(~ALERTS.c.acknowledged)
        return self._many(*where, order=(ALERTS.c.time.desc(), ALERTS.c.id.desc()), limit=limit)

    def drop(self, before: int, most: int = 500) -> int:
        """Delete alerts from before then, acknowledged or not, the oldest first; return how many."""
        old = sa.select(ALERTS.c.id).where(ALERTS.c.time < before).order_by(ALERTS.c.time).limit(most)
        ids = list(self._connection.execute(old).scalars())
        self._connection.execute(sa.delete(ALERTS.table).where(ALERTS.c.id.in_(ids)))
        return len(ids)

    def acknowledge(self, alert: Alert) -> Alert:
        """Mark an alert as read."""
        seen = replace(alert, acknowledged=True)
        self.put(seen)
        return seen


class Reports(Rows[Report]):
    """The reports within a transaction."""

    kept = REPORTS

    def of(self, user_id: str) -> list[Report]:
        """Return what a user has asked for, the newest first."""
        return self._many(
            REPORTS.c.asked_by == user_id, order=(REPORTS.c.created.desc(), REPORTS.c.id.desc()), limit=500
        )

    def pending(self) -> list[Report]:
        """Return what is still to be made."""
        return self._many(PENDING, order=(REPORTS.c.created,), limit=10)

    def pending_of(self, user_id: str) -> int:
        """Return how many a user waits for."""
        query = sa.select(sa.func.count()).select_from(REPORTS.table).where(PENDING, REPORTS.c.asked_by == user_id)
        return int(self._connection.execute(query).scalar_one())

    def drop(self, before: int, most: int = 10) -> int:
        """Delete reports that were asked for before then and are not pending, with their lines; return how many."""
        done = REPORTS.c.status != int(ReportStatus.PENDING)
        old = sa.select(REPORTS.c.id).where(REPORTS.c.created < before, done).limit(most)
        ids = list(self._connection.execute(old).scalars())
        for lines in (sa.delete(REPORT_ENTRIES.table).where(REPORT_ENTRIES.c.report_id == one) for one in ids):
            self._connection.execute(lines)
        self._connection.execute(sa.delete(REPORTS.table).where(REPORTS.c.id.in_(ids)))
        return len(ids)

    def fill(self, entries: Iterable[ReportEntry]) -> None:
        """Keep the lines of a report."""
        if rows := [REPORT_ENTRIES.values(entry) for entry in entries]:
            self._connection.execute(sa.insert(REPORT_ENTRIES.table), rows)

    def entries(self, report_id: str, after: int, limit: int) -> list[ReportEntry]:
        """Return lines of a report, those with a greater number than `after`."""
        c = REPORT_ENTRIES.c
        query = (
            sa.select(*REPORT_ENTRIES.columns)
            .where(c.report_id == report_id, c.number > after)
            .order_by(c.number)
            .limit(limit)
        )
        return [REPORT_ENTRIES.of(row) for row in self._connection.execute(query)]


class IdempotencyKeys:
    """Which object was made for an idempotency key, so that a retried request makes no second one."""

    def __init__(self, connection: sa.Connection) -> None:
        """`connection` is within a transaction."""
        self._connection = connection

    def object_of(self, user_id: str, method: str, key: str) -> str | None:
        """Return the id of the object that was made, if one was."""
        c = IDEMPOTENCY_KEYS.c
        query = sa.select(c.object_id).where(c.user_id == user_id, c.method == method, c.key == key)
        return self._connection.execute(query).scalar()

    def add(self, user_id: str, method: str, key: str, object_id: str, now: int) -> None:
        """Keep a key. Raises sqlalchemy.exc.IntegrityError where it was used already."""
        values = {"user_id": user_id, "method": method, "key": key, "object_id": object_id, "time": now}
        self._connection.execute(sa.insert(IDEMPOTENCY_KEYS), values)

    def sweep(self, before: int) -> None:
        """Remove keys that were used before then."""
        self._connection.execute(sa.delete(IDEMPOTENCY_KEYS).where(IDEMPOTENCY_KEYS.c.time < before))
