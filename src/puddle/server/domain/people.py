"""Who uses Puddle, with which keys, and within which limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """There are exactly two."""

    USER = "user"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one user or group may have; 0 is no limit. The budget is in millionths per calendar month (UTC)."""

    systems: int = 0
    running: int = 0
    cu: int = 0
    budget_micros: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may log in."""

    id: str
    name: str
    role: Role
    email: str = ""
    display_name: str = ""
    groups: tuple[str, ...] = ()
    limits: Limits = Limits()
    active: bool = True
    created: int = 0
    last_login: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Users who share limits."""

    name: str
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of a user's programs. `secret_hash` is all that is kept of the secret. `expires` 0: never."""

    id: str
    user_id: str
    name: str
    secret_hash: str
    created: int
    expires: int = 0
    last_used: int = 0
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a login gives: good until `expires`, and worthless as soon as its key or user is.

    Only its digest is kept.
    """

    digest: str
    user_id: str
    key_id: str
    created: int
    expires: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call, as it was found when the call came in."""

    user: User
    key_id: str = ""
    request_id: str = ""

    @property
    def admin(self) -> bool:
        """Whether it is an administrator."""
        return self.user.role is Role.ADMIN

    def may(self, owner_id: str) -> bool:
        """Whether what `owner_id` owns is theirs to see and change."""
        return self.admin or owner_id == self.user.id
