"""Users, groups, API keys and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from puddle.server.domain.people import ApiKey, Group, Token, User
from puddle.server.store.prepared import Prepared
from puddle.server.store.rows import Rows
from puddle.server.store.schema import GROUPS, KEYS, TOKENS, USERS


class Users(Rows[User]):
    """The users within a transaction."""

    kept = USERS

    def by_name(self, name: str) -> User | None:
        """Return a user by the name they log in with."""
        return self._one(USERS.c.name == name)

    def ids_in(self, group: str) -> list[str]:
        """Return the ids of a group's members."""
        return [user.id for user in self.all() if group in user.groups]


class Groups(Rows[Group]):
    """The groups within a transaction."""

    kept = GROUPS


class Keys(Rows[ApiKey]):
    """The API keys within a transaction."""

    kept = KEYS

    def of_user(self, user_id: str) -> list[ApiKey]:
        """Return a user's keys, the oldest first."""
        return self._many(KEYS.c.user_id == user_id, order=(KEYS.c.created, KEYS.c.id))


_BEARER = (
    sa.select(*TOKENS.columns, *USERS.columns)
    .select_from(
        TOKENS.table.join(USERS.table, USERS.c.id == TOKENS.c.user_id).outerjoin(
            KEYS.table, KEYS.c.id == TOKENS.c.key_id
        )
    )
    .where(USERS.c.active)
)
"""Tokens with their users. One without a key comes from another way of logging in."""


_NOW = sa.bindparam("now", type_=sa.BigInteger())
_GOOD_KEY = sa.and_(~KEYS.c.revoked, sa.or_(KEYS.c.expires == 0, KEYS.c.expires > _NOW))
_GOOD_BEARER = Prepared(
    _BEARER.where(
        TOKENS.c.digest == sa.bindparam("digest"), TOKENS.c.expires > _NOW, sa.or_(TOKENS.c.key_id == "", _GOOD_KEY)
    )
)


class Tokens(Rows[Token]):
    """The tokens within a transaction."""

    kept = TOKENS

    def bearer(self, digest: str, now: int) -> tuple[Token, User] | None:
        """Return whose token it is; None where it has ended, or its key or user are not good any more."""
        return _bearer(_GOOD_BEARER.ask(self._connection, digest=digest, now=now))

    def end_login(self, digest: str) -> None:
        """Delete a token, and all others of its login."""
        token = self.get(digest)
        if token is not None:
            same = TOKENS.c.user_id == token.user_id, TOKENS.c.key_id == token.key_id, TOKENS.c.created == token.created
            self._connection.execute(sa.delete(TOKENS.table).where(*same))

    def sweep(self, now: int) -> int:
        """Remove what has ended; return how many."""
        return self._connection.execute(sa.delete(TOKENS.table).where(TOKENS.c.expires <= now)).rowcount


def bearer_alone(engine: sa.Engine, digest: str, now: int) -> tuple[Token, User] | None:
    """Return what `Tokens.bearer` does, without a transaction around it."""
    return _bearer(_GOOD_BEARER.ask_alone(engine, digest=digest, now=now))


def _bearer(rows: Sequence[tuple[Any, ...]]) -> tuple[Token, User] | None:
    return _records(tuple(rows[0])) if rows else None


@lru_cache(1000)
def _records(row: tuple[Any, ...]) -> tuple[Token, User]:
    """Return the records of a row; the same ones for the same row."""
    return TOKENS.of(row), USERS.of(row, len(TOKENS.columns))
