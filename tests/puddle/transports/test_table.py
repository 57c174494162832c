"""The table of methods is complete: each is served, typed as its descriptor says, and has a rule."""

from __future__ import annotations

import pytest

from puddle.client.models import Image, Snapshot, System, Tag
from puddle.server.domain.permissions import RULES, Access
from puddle.server.transports.messages.statuses import CATALOG
from puddle.server.transports.table import TABLE, WATCH, WATCHED, described, path_of
from tests.puddle.domain.test_permissions import METHODS


def test_every_method_of_every_service_is_served() -> None:
    served = {method.name for method in TABLE.values()} | {WATCHED.name}
    assert served == set(METHODS) == {name for name, _ in described()}
    assert all(path == path_of(method.name) for path, method in TABLE.items())


def test_only_methods_with_a_rule_are_served() -> None:
    assert {method.name for method in TABLE.values()} | {WATCH} == set(RULES)


@pytest.mark.parametrize("method", [*TABLE.values(), WATCHED], ids=lambda method: method.name)
def test_a_method_takes_and_gives_what_its_descriptor_says(method) -> None:
    descriptor = METHODS[method.name]
    assert method.request.DESCRIPTOR.full_name == descriptor.input_type.full_name
    assert method.response.DESCRIPTOR.full_name == descriptor.output_type.full_name


def test_reads_are_called_so_and_ask_nobody_but_the_database() -> None:
    reads = {method.name for method in TABLE.values() if method.reads}
    assert all(name.split("/")[1].startswith(("Get", "List", "WhoAmI")) for name in reads)
    asks_clouds = {"SystemService/ListModels", "SystemService/GetConsole", "ImageService/GetBuildLog"}
    assert not reads & asks_clouds
    get = TABLE[path_of("SystemService/GetSystem")]
    assert get.may_block(get.request(include_models=True))
    assert not get.may_block(get.request())


def test_one_method_is_for_anybody() -> None:
    assert [name for name, rule in RULES.items() if rule.access is Access.ANYONE] == ["AuthService/Login"]


def test_the_server_and_the_client_have_the_same_texts() -> None:
    """A client that knows a status shows it as the server does."""
    for kind, texts, prefix in (
        (System, CATALOG.system, "SYSTEM_STATUS_"),
        (System, CATALOG.vm, "VM_STATUS_"),
        (System, CATALOG.product, "PRODUCT_STATUS_"),
        (System, CATALOG.config, "CONFIG_STATUS_"),
        (Image, CATALOG.image, "IMAGE_STATUS_"),
        (Tag, CATALOG.tag, "TAG_STATUS_"),
        (Snapshot, CATALOG.snapshot, "SNAPSHOT_STATUS_"),
    ):
        for text in texts:
            assert text.name.startswith(prefix)
            known = getattr(kind, text.name)
            assert (known.code, known.text) == (text.code, text.text)


def test_a_stream_is_not_a_call() -> None:
    with pytest.raises(TypeError, match="stream"):
        WATCHED.run(None, None, None)
