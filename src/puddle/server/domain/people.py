"""Who uses Puddle, with which keys, and within which limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a user may do; `permissions` has the rules."""

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
    """A key with which a user's programs log in. Of its secret only the hash is stored. `expires` 0: never."""

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
    """What a login returns: valid until `expires`, or until its key is revoked or its user made inactive.

    Only its digest is stored.
    """

    digest: str
    user_id: str
    key_id: str
    created: int
    expires: int


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal of a call: the user, and the key they logged in with, as of when the call came in."""

    user: User
    key_id: str = ""
    request_id: str = ""

    @property
    def admin(self) -> bool:
        """Whether it is an administrator."""
        return self.user.role is Role.ADMIN

    def may(self, owner_id: str) -> bool:
        """Whether they may see and change what `owner_id` owns."""
        return self.admin or owner_id == self.user.id
