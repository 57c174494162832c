"""What the tab key offers for a name: asked of the server, and nothing where that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from puddle._cli.failures import Failed
from puddle._cli.login import authorizer, cloud
from puddle.client import InstanceTypesClient, SystemsClient
from puddle.client.errors.puddle_errors import PuddleError


def systems() -> Sequence[str]:
    """Return the names of the caller's systems."""
    return _told(lambda: (it.name for it in SystemsClient(cloud(""), authorizer=authorizer()).list()))


def snapshots() -> Sequence[str]:
    """Return the names of the caller's snapshots."""
    return _told(lambda: (it.name for it in SystemsClient(cloud(""), authorizer=authorizer()).list_snapshots()))


def sizes() -> Sequence[str]:
    """Return the sizes the caller may take."""
    return _told(lambda: (it.text for it in InstanceTypesClient(cloud(""), authorizer=authorizer()).list_available()))


def _told(ask: Callable[[], Iterable[str]]) -> Sequence[str]:
    """Return what is there; nobody wants an error instead of a completion."""
    with suppress(PuddleError, Failed):
        return list(dict.fromkeys(ask()))
    return []
