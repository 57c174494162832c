"""What the use cases share: ids, audit events, and `Missing` for what is not there."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any, TypeVar

from puddle.server.backend import Backend
from puddle.server.domain.people import Caller
from puddle.server.domain.rules import Rules
from puddle.server.domain.trail import Event
from puddle.server.errors import Invalid, Missing
from puddle.server.products.base import Product
from puddle.server.store import Transaction
from puddle.server.store.trail import event_id

Thing = TypeVar("Thing")


class UseCases:
    """Use cases of one installation."""

    def __init__(self, backend: Backend) -> None:
        """See the class."""
        self._backend = backend
        self._store = backend.store

    @property
    def _rules(self) -> Rules:
        return self._backend.rules

    def _now(self) -> int:
        return self._backend.now()

    def _offered(self, cloud: str) -> str:
        """Return a cloud of this server. Raises Invalid, which names those there are."""
        if cloud not in self._backend.clouds:
            raise Invalid("cloud", f"is one of {', '.join(sorted(self._backend.clouds))}, and not {cloud!r}")
        return cloud

    def _product(self, product: str) -> Product:
        """Return a product of this server. Raises Invalid, which names those there are."""
        if product not in self._backend.products:
            raise Invalid("product", f"is one of {', '.join(sorted(self._backend.products))}, and not {product!r}")
        return self._backend.products[product]

    def _there(self, listed: list[Thing], cloud: str) -> list[Thing]:
        """Return what was found on a cloud ("": on all). Where that is nothing, the name may be wrong: raises Invalid.

        Something may be left on a cloud that this server has no more, so what was found counts first.
        """
        if cloud and not listed:
            self._offered(cloud)
        return listed


def new_id(kind: str) -> str:
    """Return an unguessable id: ``sys-5f…``. It may become part of a file's or a machine's name."""
    return f"{kind}-{secrets.token_hex(8)}"


def found(thing: Thing | None, kind: str, which: str) -> Thing:
    """Return a thing that is there. Raises Missing where it is not."""
    if thing is None:
        raise Missing(kind, which)
    return thing


def record(
    tx: Transaction,
    caller: Caller,
    now: int,
    action: str,
    *targets: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    message: str = "",
) -> None:
    """Write an audit event within the transaction that makes the change. It must contain no secret."""
    tx.events.add(
        Event(
            id=event_id(),
            time=now,
            actor_kind="user",
            actor_id=caller.user.id,
            actor_name=caller.user.name,
            action=action,
            targets=tuple(dict.fromkeys(target for target in targets if target)),
            before=_json(before),
            after=_json(after),
            request_id=caller.request_id,
            message=message,
        )
    )


def _json(values: Mapping[str, Any] | None) -> str:
    return json.dumps(values, sort_keys=True, default=str) if values else ""
