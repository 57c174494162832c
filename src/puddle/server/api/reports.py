"""Reports of what was used and what it cost. The reconciler makes them; here they are asked for and read."""

from __future__ import annotations

from puddle.server.api.base import UseCases, found, new_id, record
from puddle.server.domain import permissions, validation
from puddle.server.domain.people import Caller
from puddle.server.domain.trail import Report, ReportEntry
from puddle.server.errors import Precondition
from puddle.server.store import Transaction

MAX_PENDING = 10


class Reports(UseCases):
    """What was used, by whom, and what it cost."""

    def create(self, caller: Caller, start: int, end: int, *, everybody: bool = False) -> Report:
        """Ask for a report on [start, end), unix seconds."""
        validation.span(start, end)
        now = self._now()
        owner_id = "" if everybody else caller.user.id
        report = Report(id=new_id("rep"), asked_by=caller.user.id, owner_id=owner_id, start=start, end=end, created=now)
        with self._store.writing() as tx:
            if tx.reports.pending_of(caller.user.id) >= MAX_PENDING:
                raise Precondition(f"{MAX_PENDING} of your reports are still being made", "busy")
            tx.reports.add(report)
            about = {"start": start, "end": end, "everybody": everybody}
            record(tx, caller, now, "report.create", report.id, after=about)
        self._backend.wake()
        return report

    def get(self, caller: Caller, report_id: str) -> Report:
        """Return a report."""
        with self._store.reading() as tx:
            return self._mine(tx, caller, report_id)

    def all(self, caller: Caller) -> list[Report]:
        """Return the caller's reports, the newest first."""
        with self._store.reading() as tx:
            return tx.reports.of(caller.user.id)

    def entries(self, caller: Caller, report_id: str, after: int, limit: int) -> list[ReportEntry]:
        """Return lines of a report, those with a greater number than `after`."""
        with self._store.reading() as tx:
            self._mine(tx, caller, report_id)
            return tx.reports.entries(report_id, after, limit)

    @staticmethod
    def _mine(tx: Transaction, caller: Caller, report_id: str) -> Report:
        report = found(tx.reports.get(report_id), "report", report_id)
        permissions.authorize_object("ReportService/GetReport", caller, report.asked_by, "report", report_id)
        return report
