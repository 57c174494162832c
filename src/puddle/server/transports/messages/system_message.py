"""A `SystemView` as a message of the wire. What depends on the record alone is made once, and kept in `Seen.memo`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from puddle.client.proto.v2 import system_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Action, TagData
from puddle.server.api.views import Action as Choice
from puddle.server.api.views import SystemView
from puddle.server.domain.records import System
from puddle.server.domain.states import Status, Wish, in_transition
from puddle.server.transports.messages import money
from puddle.server.transports.messages.enums import number
from puddle.server.transports.messages.snapshots import snapshot


def system(view: SystemView, *, reasons: bool = True, disk: bool = True) -> pb.System:
    """Return the message.

    `reasons`: include why the system is on, which takes as long as all the rest. `disk`: include what its disk has
    cost, for which the database is asked.
    """
    message = pb.System()
    message.CopyFrom(_lasting(view))
    if cost := view.current_cost:
        message.current_session_cost = money.amount(cost)
        message.current_session_cost_decimal = money.exact(cost)
    if view.snapshots:
        message.snapshots.extend([snapshot(each) for each in view.snapshots])
    if reasons and view.system.status is Status.STARTED:
        message.activity.reasons.extend(view.why)
    if disk:
        message.disk_cost_decimal = money.exact(view.disk_cost)
    return message


def list_entry(view: SystemView) -> bytes:
    """Return a `ListSystemsResponse` with this one system, encoded; such responses can be concatenated.

    Encoded once per second at most while the record is the same: lists are long, and asked for often.
    """
    if view.snapshots:  # they are not part of the record
        return encoded_entry(view, [])
    key = ("entry", view.mine, view.admin)
    kept: tuple[int, bytes] | None = view.seen.memo.get(key)
    if kept is None or kept[0] != view.now:
        kept = view.seen.memo[key] = view.now, encoded_entry(view, [])
    return kept[1]


def encoded_entry(view: SystemView, models: Sequence[pb.DAIModel]) -> bytes:
    """Return the same with these models, from scratch."""
    one = pb.SystemWithModels(system=system(view, reasons=False, disk=False), models=models)
    return pb.ListSystemsResponse(systems=[one]).SerializeToString()


def _lasting(view: SystemView) -> pb.System:
    """Return the part that does not change with time; made once per record."""
    key = ("message", view.mine, view.admin)
    message: pb.System | None = view.seen.memo.get(key)
    if message is None:
        message = view.seen.memo[key] = _from_record(view)
    return message


def _from_record(view: SystemView) -> pb.System:
    it, size = view.system, view.instance_type
    price = it.session_price_micros if it.session_id else size.price_micros
    return pb.System(
        id=it.id,
        name=it.name,
        cloud=it.cloud,
        cloud_id=it.machine_id,
        product=it.product,
        version=it.version,
        owner_id=it.owner_id,
        owner_name=view.owner_name,
        instance_type=size.text,
        gpu=size.gpu_count > 0,
        gpu_count=size.gpu_count,
        gpu_type=size.gpu_type,
        disk_size_gb=it.disk_gb,
        created=it.created,
        updated=it.updated,
        status=number(it.status),
        vm_status=number(it.vm_status),
        product_status=number(it.product_status),
        config_status=number(it.config_status),
        config_toml=it.config,
        auth_type=view.auth_type,
        username=it.username,
        password=view.password,
        default_url=it.url,
        ip_address=it.public_ip or it.private_ip,
        private_ip=it.private_ip,
        public_ip=it.public_ip,
        idle_timeout=view.idle_deadline,
        idle_timeout_interval=it.idle_minutes,
        previous_sessions_cost=money.amount(view.previous_cost),
        provisioned=it.provisioned,
        in_transition=in_transition(it.status),
        can_launch=_can_launch(view.actions),
        can_fail=view.can_fail,
        instance_type_id=it.instance_type_id,
        image_id=it.image_id,
        price_per_hour=money.price(price),
        session_started=it.session_started,
        tags=[TagData(label=label, value=value) for label, value in it.tags],
        generation=it.generation,
        status_reason=it.reason,
        status_detail=it.detail,
        current_session_cost_decimal=money.exact(0),
        previous_sessions_cost_decimal=money.exact(view.previous_cost),
        allowed_actions=_actions(view.actions),
        activity=_activity(it),
        forecast_cost_per_day=money.price(24 * (price if it.session_id else view.disk_price)),
    )


@cache
def _can_launch(actions: tuple[Choice, ...]) -> bool:
    return any(action.allowed for action in actions if action.name == Wish.START.value)


@cache
def _actions(actions: tuple[Choice, ...]) -> tuple[Action, ...]:
    return tuple(Action(name=each.name, allowed=each.allowed, reason=each.reason) for each in actions)


def _activity(it: System) -> pb.Activity | None:
    if it.status is not Status.STARTED:
        return None
    known = not it.missed_probes
    return pb.Activity(
        last_activity=max(it.last_activity, it.started),
        source=_activity_source(it),
        idle=known and not it.busy,
        known=known,
        signals=[pb.Signal(name=name, value=value) for name, value in it.signals],
    )


def _activity_source(it: System) -> str:
    if it.missed_probes:
        return "nobody"
    return "product" if it.last_activity > it.started else "start"
