"""Making reports: the sessions that ran in a span, cut at its edges; those that still run count up to now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from puddle.server.backend import Backend
from puddle.server.domain.catalog import Image
from puddle.server.domain.cost import Span
from puddle.server.domain.people import User
from puddle.server.domain.records import Meter, Session, System
from puddle.server.domain.trail import Report, ReportEntry, ReportStatus
from puddle.server.faults import Point, reach
from puddle.server.reconcile.mishaps import surviving
from puddle.server.store import Transaction

Thing = TypeVar("Thing")


def make_reports(backend: Backend, now: int) -> None:
    """Make all reports that were asked for."""
    with backend.store.reading() as tx:
        pending = tx.reports.pending()
    for report in pending:
        with surviving("report_failed", report_id=report.id):
            _make(backend, report.id, now)
            continue
        _fail(backend, report.id)


def _make(backend: Backend, report_id: str, now: int) -> None:
    with backend.store.writing() as tx:
        report = _still_pending(tx, report_id)
        if report is None:
            return
        entries = _entries(tx, report, now)
        tx.reports.fill(entries)
        total = sum(Span(entry.price_micros, entry.start, entry.end).amount for entry in entries)
        tx.reports.put(replace(report, status=ReportStatus.READY, total=total))
        reach(Point.REPORTING)


def _fail(backend: Backend, report_id: str) -> None:
    with backend.store.writing() as tx:
        report = _still_pending(tx, report_id)
        if report is not None:
            sentence = "it could not be made; administrators find the reason in the server's log"
            tx.reports.put(replace(report, status=ReportStatus.FAILED, detail=sentence))


def _still_pending(tx: Transaction, report_id: str) -> Report | None:
    tx.lock(report_id)
    report = tx.reports.get(report_id)
    return report if report is not None and report.status is ReportStatus.PENDING else None


def _entries(tx: Transaction, report: Report, now: int) -> list[ReportEntry]:
    names = _Names(tx)
    entries: list[ReportEntry] = []
    for session in tx.sessions.within(report.start, report.end, report.owner_id):
        start, end = max(session.start, report.start), min(session.end or now, report.end)
        if end > start:
            entries.append(names.entry(report.id, len(entries) + 1, session, Span(session.price_micros, start, end)))
    return entries


class _Names:
    """What the ids in sessions stand for, each read once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._systems: dict[str, System | None] = {}
        self._users: dict[str, User | None] = {}
        self._images: dict[str, Image | None] = {}

    def entry(self, report_id: str, number: int, session: Session, span: Span) -> ReportEntry:
        """Return the line of a session."""
        system = _once(self._systems, session.system_id, self._tx.systems.get)
        user = _once(self._users, session.owner_id, self._tx.users.get)
        built = session.subject_id if session.meter is Meter.IMAGE_BUILD else ""
        of = system or _once(self._images, built, self._tx.images.get)
        return ReportEntry(
            report_id=report_id,
            number=number,
            system_id=session.system_id,
            system_name=system.name if system else "",
            owner_id=session.owner_id,
            owner_name=user.name if user else "",
            cloud=of.cloud if of else "",
            product=of.product if of else "",
            version=of.version if of else "",
            instance_type=session.text,
            session_id=session.id,
            meter=session.meter.value,
            start=span.start,
            end=span.end,
            price_micros=span.price_micros,
            tags=system.tags if system else (),
        )


def _once(known: dict[str, Thing | None], key: str, read: Callable[[str], Thing | None]) -> Thing | None:
    if key not in known:
        known[key] = read(key) if key else None
    return known[key]
