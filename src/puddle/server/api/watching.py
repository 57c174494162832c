"""What a watcher needs: the revision of every system, and the systems that changed, without passwords."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

from puddle.server.api.base import UseCases
from puddle.server.api.views import SystemView, views
from puddle.server.auth import tokens
from puddle.server.domain.people import Caller, Role, User


class Whose(NamedTuple):
    """Whose a system is, and how often it was written."""

    owner_id: str
    revision: int


class Watching(UseCases):
    """Reads for watchers. The caller of these compares who may see what."""

    def revisions(self) -> Mapping[str, Whose]:
        """Return all systems but terminated ones."""
        with self._store.reading() as tx:
            return {found: Whose(owner, revision) for found, owner, revision in tx.systems.revisions()}

    def seen(self, ids: Collection[str], *, admin: bool) -> list[SystemView]:
        """Return systems as their owners, or as administrators see them, but without passwords."""
        with self._store.reading() as tx:
            return [
                replace(view, mine=False)
                for seen in tx.systems.seen_of(ids)
                for view in views(self._backend, tx, _somebody(seen.system.owner_id, admin=admin), [seen])
            ]

    def still(self, token: str, role: Role) -> bool:
        """Return whether a token is good, and whose it is still in that role."""
        with self._store.reading() as tx:
            known = tx.tokens.bearer(tokens.digest(token), self._now())
        return known is not None and known[1].role is role


def _somebody(owner_id: str, *, admin: bool) -> Caller:
    return Caller(User(id="" if admin else owner_id, name="", role=Role.ADMIN if admin else Role.USER))
