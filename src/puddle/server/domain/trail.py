"""Records of what has happened: the audit trail, alerts and reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Somebody did something; written once. `before` and `after` are JSON without secrets.

    `actor_kind`: "user" or "puddle" (then id and name are empty). `targets`: ids, the first one is what it was done to.
    """

    id: str
    time: int
    actor_kind: str
    action: str
    targets: tuple[str, ...]
    actor_id: str = ""
    actor_name: str = ""
    before: str = ""
    after: str = ""
    request_id: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What administrators, and the owner of the system it is about, should know; shown until it is acknowledged."""

    id: str
    time: int
    kind: str
    system_id: str
    owner_id: str
    message: str
    acknowledged: bool = False


class ReportStatus(IntEnum):
    """Where a report stands; the numbers are those of the wire."""

    UNKNOWN = 0
    PENDING = 1
    READY = 2
    FAILED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was used between `start` and `end`; by everybody where `owner_id` is empty."""

    id: str
    asked_by: str
    owner_id: str
    start: int
    end: int
    created: int
    status: ReportStatus = ReportStatus.PENDING
    total: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEntry:
    """A line of a report: one session, as far as it lies within the report's span."""

    report_id: str
    number: int
    system_id: str
    system_name: str
    owner_id: str
    owner_name: str
    cloud: str
    product: str
    version: str
    instance_type: str
    session_id: str
    meter: str
    start: int
    end: int
    price_micros: int
    tags: tuple[tuple[str, str], ...] = ()
