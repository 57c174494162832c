"""Finding things by name or id, as arguments name them; where there is none, the nearest is suggested."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from puddle._cli.failures import Failed
from puddle._cli.login import authorizer, cloud
from puddle.client import AdminClient, ImagesClient, InstanceTypesClient, SystemsClient, TagsClient
from puddle.client.errors.puddle_errors import NotFoundError, PermissionDeniedError
from puddle.client.models import Image, InstanceType, System, Tag
from puddle.client.proto.v2 import admin_service_pb2 as pb

Thing = TypeVar("Thing")


def unknown(kind: str, wanted: str, known: Iterable[str], see: str, where: str = "") -> Failed:
    """Return what to say where there is no thing of that name. `where` is said after it: " on local"."""
    near = difflib.get_close_matches(wanted, list(known), 1)
    meant = f"; did you mean {near[0]!r}?" if near else ";"
    return Failed(f"there is no {kind} {wanted!r}{where}{meant} `puddle {see}` shows them")


def system(systems: SystemsClient, name: str, *, ended: bool = False) -> System:
    """Return a system by its name or id; administrators name somebody else's as owner/name.

    `ended`: where there is none of that name any more, the newest that was, to look back at.
    """
    owner, of_somebody, its = name.rpartition("/")
    if of_somebody:
        all_of_them = everybodys(systems, include_terminated=ended)
        found = _newest(it for it in all_of_them if (it.owner_name, it.name) == (owner, its))
    else:
        found = systems.get_by_name(name, include_terminated=ended)
    if found is not None:
        return found
    try:
        return systems.get(name, include_models=False)
    except NotFoundError:
        raise _no_system(systems, name) from None


def _newest(found: Iterable[System]) -> System | None:
    """Return the one that is there, of those that are gone the last."""
    gone = System.SYSTEM_STATUS_TERMINATED.code
    return max(found, key=lambda it: (it.status != gone, it.created), default=None)


def _no_system(systems: SystemsClient, name: str) -> Failed:
    """Return what to say; an administrator may have meant somebody's."""
    try:
        others = [f"{it.owner_name}/{it.name}" for it in systems.list_all() if it.name == name]
    except PermissionDeniedError:
        others = []
    if others:
        return Failed(f"you have no system {name!r}; did you mean {' or '.join(map(repr, others))}?")
    return unknown("system", name, [it.name for it in systems.list()], "systems ls")


def everybodys(systems: SystemsClient, *, include_terminated: bool = False) -> Sequence[System]:
    """Return all systems. For administrators."""
    try:
        return systems.list_all(include_terminated=include_terminated)
    except PermissionDeniedError:
        raise Failed("only administrators see everybody's systems; `puddle systems ls` shows yours") from None


def image(cloud_id: str, product: str, wanted: str, *, wait: bool) -> str:
    """Return the id of an image, by id or version; without either the newest, waited for where it is being built."""
    client = ImagesClient(cloud(cloud_id), authorizer=authorizer())
    found = client.list_available(product)
    for each in found:
        if wanted in {"", each.id, each.version}:
            return each.id
    if wanted:
        raise unknown(f"image of {product}", wanted, [it.version for it in found], "images ls", f" on {cloud_id}")
    building = _being_built(client, product)
    if building is not None and wait:
        return client.wait_for_available(building).id
    if building is not None:
        raise Failed(f"the image of {product} {building.version} is being built; `puddle images ls --all` shows it")
    raise Failed(f"there is no image of {product} on {cloud_id}; administrators build one: `puddle images build`")


def _being_built(client: ImagesClient, product: str) -> Image | None:
    """Return the image that is being built; only administrators see one."""
    try:
        found = client.list_all(product)
    except PermissionDeniedError:
        return None
    under_way = {Image.IMAGE_STATUS_BUILDING.code, Image.IMAGE_STATUS_NOT_YET_BUILT.code}
    return next((it for it in found if it.status_code in under_way), None)


def size(cloud_id: str, wanted: str) -> str:
    """Return the id of an instance type, by its text or id; the cheapest where none is named."""
    found = InstanceTypesClient(cloud(cloud_id), authorizer=authorizer()).list_available()
    for each in found:
        if wanted in {"", each.id, each.text}:
            return each.id
    if not wanted:
        raise Failed(f"there is no instance type on {cloud_id} for you; `puddle types ls` shows those you may use")
    raise unknown("instance type", wanted, [it.text for it in found], "types ls", f" on {cloud_id}")


def snapshot(systems: SystemsClient, wanted: str) -> str:
    """Return the id of the one snapshot of that name; what nobody is called counts as an id."""
    found = systems.list_snapshots()
    ids = [each.id for each in found if each.name == wanted]
    if len(ids) > 1:
        raise Failed(f"{len(ids)} snapshots are called {wanted!r}; name one by its id: {', '.join(ids)}")
    if ids or any(each.id == wanted for each in found) or wanted.startswith("snap-"):
        return ids[0] if ids else wanted
    raise unknown("snapshot", wanted, [each.name for each in found], "snapshots ls")


def user(client: AdminClient, wanted: str) -> pb.User:
    """Return a user by name or id. For administrators."""
    known = {(it.user.name, it.user.id): it for it in client.users()}
    return _named(known, wanted, "user", "users ls")


def instance_type(client: InstanceTypesClient, wanted: str) -> InstanceType:
    """Return an instance type by its text or id, offered or not. For administrators."""
    known = {(it.text, it.id): it for it in client.list_all()}
    return _named(known, wanted, "instance type", "types ls --all")


def tag(client: TagsClient, wanted: str) -> Tag:
    """Return a tag by its label or id."""
    return _named({(it.label, it.id): it for it in client.list_available()}, wanted, "tag", "tags ls")


def _named(known: Mapping[tuple[str, str], Thing], wanted: str, kind: str, see: str) -> Thing:
    """Return the one thing that has a name or id, of all by their names and ids."""
    called = {its_id: thing for (name, its_id), thing in known.items() if wanted in {name, its_id}}
    if len(called) > 1:
        raise Failed(f"{len(called)} {kind}s are called {wanted!r}; name one by its id: {', '.join(called)}")
    if not called:
        raise unknown(kind, wanted, [name for name, _ in known], see)
    return next(iter(called.values()))
