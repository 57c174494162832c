"""What a terminal shows of systems: a line of each, and a page of one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal

from google.protobuf.message import Message

from puddle._cli.failures import commands
from puddle._cli.showing import Columns, money, price, show_one, when
from puddle.client.models import System
from puddle.client.progress import spent
from puddle.client.proto.v2 import system_service_pb2 as pb

_CONFIGS = {
    pb.CONFIG_STATUS_UPLOADING: "on its way to the machine; it counts from the next start of the product",
    pb.CONFIG_STATUS_UPLOADED: "a new one is there; it counts from the next start of the product",
    pb.CONFIG_STATUS_FAILED: "the new one could not be brought to the machine",
}
"""What is worth a line of a configuration: that the product does not run with it."""


def message_of(system: System) -> Message:
    """Return what a system is printed from as JSON."""
    return system._system


def columns(places: Columns[System], *, owners: bool) -> Columns[System]:
    """Return the columns of a list of systems. `places`: of where they are; `owners`: say whose they are."""
    return {
        "NAME": lambda it: it.name,
        **({"OWNER": lambda it: it.owner_name} if owners else {}),
        **places,
        "STATUS": lambda it: it.status_text,
        "COST": lambda it: _sessions(it._system),
        "STOPS": lambda it: _stops_in(it._system),
        "URL": lambda it: it.default_url if it.status == pb.SYSTEM_STATUS_STARTED else "",
        "PRODUCT": lambda it: f"{it.product} {it.version}",
        "TYPE": lambda it: it.instance_type,
        "ID": lambda it: it.id,
    }


def show(system: System, *, js: bool) -> None:
    """Print all there is to say of one system."""
    it: pb.System = system._system
    lines: Mapping[str, object] = {
        "id": it.id,
        "name": it.name,
        "status": system.status_text,
        "": f"{it.status_detail} ({it.status_reason})" if it.status_reason else "",
        "product": f"{it.product} {it.version}",
        "URL": it.default_url,
        "user": it.username,
        "password": _told_by(it),
        "config": _CONFIGS.get(it.config_status, ""),
        "owner": it.owner_name,
        "machine": f"{it.instance_type}, {it.disk_size_gb} GB disk, on {it.cloud}",
        "created": when(it.created),
        "idle": _idle(it),
        "stops": _stops(it),
        "why": "; ".join(it.activity.reasons),
        "cost": _cost(it),
        "tags": ", ".join(f"{tag.label}={tag.value}" for tag in it.tags),
        "can": ", ".join(commands(action.name for action in it.allowed_actions if action.allowed)),
    }
    show_one(it, lines, js=js)


def costs(it: pb.System) -> Mapping[str, str]:
    """Return what a system has cost, and costs, exactly."""
    return {
        "this session": it.current_session_cost_decimal,
        "before": it.previous_sessions_cost_decimal,
        "disk while stopped": it.disk_cost_decimal,
        "altogether": format(_exactly(it), "f"),
        "price per hour": _exact(it.price_per_hour),
        "per day as it is": _exact(it.forecast_cost_per_day),
    }


def _exact(number: float) -> str:
    """Return a price as a decimal: as short as can be, and never in powers of ten."""
    return f"{Decimal(str(number)).normalize():f}"


def _exactly(it: pb.System) -> Decimal:
    told = it.current_session_cost_decimal, it.previous_sessions_cost_decimal, it.disk_cost_decimal
    return sum((Decimal(each or 0) for each in told), Decimal(0))


def _sessions(it: pb.System) -> str:
    return money(str(_exactly(it)))


def _cost(it: pb.System) -> str:
    """What it has cost, and what it goes on costing."""
    total, hour = _sessions(it), f"{price(it.price_per_hour)} an hour"
    if it.session_started:
        return f"{total}, of it {money(it.current_session_cost_decimal)} in this session; {hour}"
    if it.status == pb.SYSTEM_STATUS_TERMINATED:
        return total
    disk = f"its disk costs {price(it.forecast_cost_per_day)} a day, and it " if it.forecast_cost_per_day else ""
    return f"{total}; {disk}{'costs ' if disk else ''}{hour} once it is started"


def _told_by(it: pb.System) -> str:
    """Return how one gets the password; there is none before the first start, and none after the end."""
    there = it.username and it.status != pb.SYSTEM_STATUS_TERMINATED
    return f"`puddle systems credentials {it.name}` shows it to its owner" if there else ""


def _idle(it: pb.System) -> str:
    if it.status == pb.SYSTEM_STATUS_TERMINATED:
        return ""
    minutes = it.idle_timeout_interval
    return "never stopped for idleness" if minutes < 0 else f"stopped after {minutes} idle minutes"


def _stops_in(it: pb.System) -> str:
    if it.status != pb.SYSTEM_STATUS_STARTED:
        return ""
    return f"in {spent(max(0, it.idle_timeout - time.time()))}" if it.idle_timeout else "never"


def _stops(it: pb.System) -> str:
    """When a system is stopped if nobody uses it: there is such a time for one that is started, and not for ever."""
    if it.status != pb.SYSTEM_STATUS_STARTED:
        return "–"
    return when(it.idle_timeout) or "never for idleness"
