"""`EventService`."""

from __future__ import annotations

from collections.abc import Mapping

from puddle.client.proto.v2 import event_service_pb2 as pb
from puddle.server.api import Api
from puddle.server.domain import trail
from puddle.server.domain.paging import next_page, page_size, page_start
from puddle.server.store.trail import WantedEvents
from puddle.server.transports.calls import Call, Function


def event(found: trail.Event) -> pb.Event:
    """Return an entry of the audit trail."""
    return pb.Event(
        id=found.id,
        time=found.time,
        actor=pb.Actor(kind=found.actor_kind, id=found.actor_id, name=found.actor_name),
        action=found.action,
        targets=found.targets,
        before=found.before,
        after=found.after,
        request_id=found.request_id,
        message=found.message,
    )


def _list(api: Api, call: Call, message: pb.ListEventsRequest) -> pb.ListEventsResponse:
    size = page_size(message.page_size)
    query = f"{message.target}\n{message.actor_id}\n{message.since}\n{message.until}"
    start = page_start(message.page_token, (int, str), query)
    wanted = WantedEvents(
        target=message.target,
        actor_id=message.actor_id,
        since=message.since,
        until=message.until,
        before=(int(start[0]), str(start[1])) if start else (0, ""),
        limit=size + 1,
    )
    found = api.trail.events(call.caller, wanted)
    page, more = found[:size], len(found) > size
    following = next_page((page[-1].time, page[-1].id), query) if more else ""
    return pb.ListEventsResponse(events=[event(each) for each in page], next_page_token=following)


METHODS: Mapping[str, Function] = {"EventService/ListEvents": _list}
READS = frozenset({"EventService/ListEvents"})
