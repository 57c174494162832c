"""Numbers callers send for words: refused where this server has no such word."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, TypeVar

from puddle.client.proto.v2 import auth_service_pb2 as auth
from puddle.client.proto.v2 import system_service_pb2 as systems
from puddle.server.domain.people import Role
from puddle.server.errors import Invalid

Word = TypeVar("Word", bound=IntEnum)

ROLES = {Role.USER: auth.ROLE_USER, Role.ADMIN: auth.ROLE_ADMIN}
_ROLES = {int(code): role for role, code in ROLES.items()}


def number(status: IntEnum) -> Any:
    """Return a status as messages take it: the numbers are those of the wire, which the stubs cannot know."""
    return int(status)


def word(kind: type[Word], field: str, number: int) -> Word:
    """Return what a number means."""
    try:
        return kind(number)
    except ValueError:
        raise Invalid(field, f"is one of the numbers from 0 to {max(kind)}") from None


def role(field: str, number: int) -> Role | None:
    """Return a role; None where nothing is said."""
    if number == auth.ROLE_UNKNOWN:
        return None
    if number not in _ROLES:
        raise Invalid(field, "is ROLE_USER or ROLE_ADMIN")
    return _ROLES[number]


def everybody(scope: int) -> bool:
    """Return whether a scope asks for what is everybody's."""
    if scope not in {systems.SCOPE_MINE, systems.SCOPE_ALL}:
        raise Invalid("scope", "is SCOPE_MINE or SCOPE_ALL")
    return scope == systems.SCOPE_ALL
