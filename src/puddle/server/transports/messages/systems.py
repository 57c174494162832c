"""`SystemService`, except `WatchSystems`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from puddle.client.proto.v2 import system_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty
from puddle.server.api import Api
from puddle.server.api.creating import NewSystem
from puddle.server.api.views import SystemView
from puddle.server.api.wishes import Wishes
from puddle.server.domain.paging import next_page, page_size, page_start
from puddle.server.domain.people import Caller
from puddle.server.domain.quota import Holder
from puddle.server.domain.states import Status
from puddle.server.products.base import Experiment
from puddle.server.store.stamps import Wanted
from puddle.server.transports.calls import Call, Function
from puddle.server.transports.codecs import Encoded
from puddle.server.transports.messages import money
from puddle.server.transports.messages.enums import everybody, word
from puddle.server.transports.messages.statuses import CATALOG
from puddle.server.transports.messages.system_message import encoded_entry, list_entry, system

NO_LIMIT = 2**31 - 1
"""The compute units that are said to be left where there is no limit."""


def model(found: Experiment, view: SystemView) -> pb.DAIModel:
    """Return an experiment on a system."""
    return pb.DAIModel(
        id=found.id,
        description=found.description,
        dataset=found.dataset,
        target=found.target,
        scorer=found.scorer,
        accuracy=found.accuracy,
        time=found.time,
        interpretability=found.interpretability,
        score=found.score,
        test_score=found.test_score,
        progress=found.progress,
        training_duration=found.training_duration,
        status=found.status,
        created=found.created,
        updated=found.updated,
        system_id=view.system.id,
        owner_name=view.owner_name,
    )


def _models_of(api: Api, seen: list[SystemView], *, wanted: bool) -> Mapping[str, list[pb.DAIModel]]:
    if not wanted:
        return {}
    found = api.systems.experiments(seen)
    return {view.system.id: [model(each, view) for each in found[view.system.id]] for view in seen}


def _create(api: Api, call: Call, message: pb.CreateSystemRequest) -> pb.System:
    wanted = NewSystem(
        name=message.name,
        cloud=message.cloud,
        product=message.product,
        image_id=message.image_id,
        instance_type_id=message.instance_type_id,
        disk_gb=message.disk_size_gb,
        idle_minutes=message.idle_timeout_interval,
        config=message.config,
        source_snapshot_id=message.source_snapshot_id,
        tags=tuple((tag.label, tag.value) for tag in message.tags),
        validate_only=message.validate_only,
    )
    return system(api.creating.create(call.caller, wanted, call.idempotency_key))


def _list(api: Api, call: Call, message: pb.ListSystemsRequest) -> Encoded:
    size = page_size(message.page_size)
    everyone = everybody(message.scope)
    statuses = tuple(dict.fromkeys(word(Status, "statuses", number) for number in message.statuses))
    query = repr((everyone, message.cloud, message.product, statuses, message.include_terminated, message.name))
    start = page_start(message.page_token, (int, str), query) if message.page_token else None
    wanted = Wanted(
        owner_id="" if everyone else call.caller.user.id,
        cloud=message.cloud,
        product=message.product,
        name=message.name,
        statuses=statuses,
        include_terminated=message.include_terminated,
        after=(int(start[0]), str(start[1])) if start else (0, ""),
        limit=size + 1,
    )
    found = api.systems.page(call.caller, wanted)
    page, more = found[:size], len(found) > size
    following = next_page((page[-1].system.created, page[-1].system.id), query) if more else ""
    tail = pb.ListSystemsResponse(next_page_token=following).SerializeToString()
    if message.include_models:
        models = _models_of(api, page, wanted=True)
        entries = [encoded_entry(view, models[view.system.id]) for view in page]
    else:
        entries = [list_entry(view) for view in page]
    return Encoded(pb.ListSystemsResponse, b"".join([*entries, tail]))


def _get(api: Api, call: Call, message: pb.GetSystemRequest) -> pb.SystemWithModels:
    view = api.systems.get(call.caller, message.id)
    models = _models_of(api, [view], wanted=message.include_models)
    return pb.SystemWithModels(system=system(view), models=models.get(view.system.id))


def _wish(take: Callable[[Wishes, Caller, str, int, str], SystemView]) -> Function:
    """Return the function for a wish that needs nothing but the system."""

    def run(api: Api, call: Call, message: pb.SystemRequest) -> pb.System:
        return system(take(api.wishes, call.caller, message.id, message.expected_generation, message.reason))

    return run


def _start(api: Api, call: Call, message: pb.StartSystemRequest) -> pb.System:
    minutes, generation = message.idle_timeout_interval, message.expected_generation
    return system(api.wishes.start(call.caller, message.id, generation, message.reason, minutes))


def _scale(api: Api, call: Call, message: pb.ScaleSystemRequest) -> pb.System:
    return system(api.wishes.scale(call.caller, message.id, message.instance_type_id, message.disk_size_gb))


def _update_config(api: Api, call: Call, message: pb.UpdateConfigRequest) -> pb.System:
    return system(api.wishes.update_config(call.caller, message.id, message.config, restart=message.restart))


def _change_idle(api: Api, call: Call, message: pb.UpdateIdleTimeoutRequest) -> pb.System:
    return system(api.wishes.change_idle(call.caller, message.id, message.minutes))


def _extend_idle(api: Api, call: Call, message: pb.ExtendIdleTimeoutRequest) -> pb.System:
    return system(api.wishes.extend_idle(call.caller, message.id, message.minutes))


def _models(api: Api, call: Call, message: pb.SystemRequest) -> pb.ListModelsResponse:
    view = api.systems.get(call.caller, message.id)
    found = api.systems.experiments([view])[view.system.id]
    return pb.ListModelsResponse(models=[model(each, view) for each in found])


def _consumption(api: Api, call: Call, _message: pb.GetCUConsumptionInfoRequest) -> pb.GetCUConsumptionInfoResponse:
    used = api.systems.consumption(call.caller)
    return pb.GetCUConsumptionInfoResponse(
        available_cu=NO_LIMIT if used.available is None else used.available,
        consumed_cu=used.consumed,
        systems_consumption_info=[
            pb.SystemConsumptionInfo(system_id=each.id, system_name=each.name, cu=each.cu) for each in used.mine
        ],
        allowances=[_allowance(each) for each in used.allowances],
    )


def _allowance(holder: Holder) -> pb.Allowance:
    used, limits = holder.used, holder.limits
    return pb.Allowance(
        whose=holder.whose,
        systems=used.systems,
        systems_limit=limits.systems,
        running=used.running,
        running_limit=limits.running,
        cu=used.cu,
        cu_limit=limits.cu,
        cost_this_month_decimal=money.exact(used.spent),
        budget_per_month_decimal=money.budget(limits.budget_micros),
    )


def _credentials(api: Api, call: Call, message: pb.SystemRequest) -> pb.Credentials:
    username, password = api.systems.credentials(call.caller, message.id)
    return pb.Credentials(username=username, password=password)


def _ssh_key(api: Api, call: Call, message: pb.SystemRequest) -> pb.SshKey:
    return pb.SshKey(private_key=api.systems.ssh_key(call.caller, message.id))


def _console(api: Api, call: Call, message: pb.ConsoleRequest) -> pb.Console:
    return pb.Console(text=api.systems.console(call.caller, message.id, message.lines))


def _catalog(_api: Api, _call: Call, _message: Empty) -> pb.StatusCatalog:
    return CATALOG


METHODS: Mapping[str, Function] = {
    "SystemService/CreateSystem": _create,
    "SystemService/ListSystems": _list,
    "SystemService/GetSystem": _get,
    "SystemService/StartSystem": _start,
    "SystemService/StopSystem": _wish(Wishes.stop),
    "SystemService/RebootSystem": _wish(Wishes.reboot),
    "SystemService/RestartDAI": _wish(Wishes.restart),
    "SystemService/TerminateSystem": _wish(Wishes.terminate),
    "SystemService/FailSystem": _wish(Wishes.fail),
    "SystemService/ScaleSystem": _scale,
    "SystemService/UpdateConfig": _update_config,
    "SystemService/UpdateIdleTimeout": _change_idle,
    "SystemService/ExtendIdleTimeout": _extend_idle,
    "SystemService/ListModels": _models,
    "SystemService/GetCUConsumptionInfo": _consumption,
    "SystemService/GetCredentials": _credentials,
    "SystemService/GetSshKey": _ssh_key,
    "SystemService/GetConsole": _console,
    "SystemService/GetStatusCatalog": _catalog,
}
READS = frozenset(
    {
        "SystemService/GetSystem",
        "SystemService/ListSystems",
        "SystemService/GetCUConsumptionInfo",
        "SystemService/GetCredentials",
        "SystemService/GetStatusCatalog",
    }
)
