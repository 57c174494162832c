"""`ReportService`."""

from __future__ import annotations

from collections.abc import Mapping

from puddle.client.proto.v2 import report_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty, TagData
from puddle.server.api import Api
from puddle.server.domain import trail
from puddle.server.domain.cost import Span
from puddle.server.domain.paging import next_page, page_size, page_start
from puddle.server.transports.calls import Call, Function
from puddle.server.transports.messages import money
from puddle.server.transports.messages.enums import number


def report(found: trail.Report) -> pb.Report:
    """Return a report's head."""
    return pb.Report(
        id=found.id,
        status=number(found.status),
        start=found.start,
        end=found.end,
        created=found.created,
        total_decimal=money.exact(found.total),
        status_detail=found.detail,
        total_amount=found.total,
    )


def entry(found: trail.ReportEntry) -> pb.ReportEntry:
    """Return a line of a report."""
    cost = Span(found.price_micros, found.start, found.end).amount
    return pb.ReportEntry(
        system_id=found.system_id,
        system_name=found.system_name,
        owner_id=found.owner_id,
        owner_name=found.owner_name,
        cloud=found.cloud,
        product=found.product,
        version=found.version,
        instance_type=found.instance_type,
        session_id=found.session_id,
        start=found.start,
        end=found.end,
        seconds=found.end - found.start,
        price_per_hour=money.price(found.price_micros),
        cost=money.amount(cost),
        kind=found.meter,
        tags=[TagData(label=label, value=value) for label, value in found.tags],
        cost_decimal=money.exact(cost),
        amount=cost,
    )


def _create(api: Api, call: Call, message: pb.CreateReportRequest) -> pb.Report:
    return report(api.reports.create(call.caller, message.start, message.end, everybody=message.everybody))


def _get(api: Api, call: Call, message: pb.ReportRequest) -> pb.Report:
    return report(api.reports.get(call.caller, message.id))


def _list(api: Api, call: Call, _message: Empty) -> pb.ListReportsResponse:
    return pb.ListReportsResponse(reports=[report(each) for each in api.reports.all(call.caller)])


def _entries(api: Api, call: Call, message: pb.ReportRequest) -> pb.ListReportEntriesResponse:
    size = page_size(message.page_size)
    start = page_start(message.page_token, (int,), message.id)
    lines = api.reports.entries(call.caller, message.id, int(start[0]) if start else -1, size + 1)
    page, more = lines[:size], len(lines) > size
    following = next_page((page[-1].number,), message.id) if more else ""
    return pb.ListReportEntriesResponse(entries=[entry(each) for each in page], next_page_token=following)


METHODS: Mapping[str, Function] = {
    "ReportService/CreateReport": _create,
    "ReportService/GetReport": _get,
    "ReportService/ListReports": _list,
    "ReportService/ListReportEntries": _entries,
}
READS = frozenset({"ReportService/GetReport", "ReportService/ListReports", "ReportService/ListReportEntries"})
