"""`ReportsClient`: what was used, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator

from puddle.client.base_client import BaseCloudClient, id_of
from puddle.client.errors.puddle_errors import BackendError
from puddle.client.proto.v2 import report_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty

COLUMNS = (
    "system_id", "system_name", "owner_id", "owner_name", "cloud", "product", "version", "instance_type", "session_id",
    "start", "end", "seconds", "price_per_hour", "cost_decimal", "kind",
)  # fmt: skip
PAGE = 1000


class ReportsClient(BaseCloudClient):
    """Reports of use; an administrator's may be of everybody. Where a report is asked for, its id will do."""

    def create(self, start: float, end: float, everybody: bool = False, wait: bool = True) -> pb.Report:
        """Make a report of what was used from `start` until `end`: unix seconds, whole ones count."""
        request = pb.CreateReportRequest(start=int(start), end=int(end), everybody=everybody)
        made = self._call("ReportService", "CreateReport", request, pb.Report())
        return self.wait_for(made.id) if wait else made

    def wait_for(self, report: str | pb.Report) -> pb.Report:
        """Wait until a report is ready."""
        seen = self._wait(
            lambda: self.get(report),
            lambda it: it.status in {pb.REPORT_STATUS_READY, pb.REPORT_STATUS_FAILED},
            lambda it: f"report {it.id} is not ready",
        )
        if seen.status != pb.REPORT_STATUS_READY:
            raise BackendError(f"the report could not be made: {seen.status_detail}")
        return seen

    def get(self, report: str | pb.Report) -> pb.Report:
        """Return a report's head: its status and total."""
        return self._call("ReportService", "GetReport", pb.ReportRequest(id=id_of(report)), pb.Report())

    def list(self) -> list[pb.Report]:
        """Return the caller's reports."""
        return [*self._call("ReportService", "ListReports", Empty(), pb.ListReportsResponse()).reports]

    def entries(self, report: str | pb.Report) -> Iterator[pb.ReportEntry]:
        """Yield the entries of a report."""
        request = pb.ReportRequest(id=id_of(report), page_size=PAGE)
        while True:
            answer = self._call("ReportService", "ListReportEntries", request, pb.ListReportEntriesResponse())
            yield from answer.entries
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    def download(self, report: str | pb.Report, fmt: str = "csv") -> str:
        """Return a report as text; "csv" is the format there is."""
        if fmt != "csv":
            raise ValueError(f"reports come as 'csv', not as {fmt!r}")
        import csv
        import io

        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([*COLUMNS, "tags"])
        for entry in self.entries(report):
            tags = "; ".join(f"{tag.label}={tag.value}" for tag in entry.tags)
            writer.writerow([*(getattr(entry, column) for column in COLUMNS), tags])
        return text.getvalue()
