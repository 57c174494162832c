"""Authorization: one rule per method, checked before the method runs, and walked exhaustively by the tests.

    ANYONE      also callers without a token
    USER        every authenticated user, about their own objects
    OWNER       the owner of the object, or an administrator
    OWNER_ALONE the owner of the object, and not even an administrator
    ADMIN       administrators

A method without a rule can't be called. Some requests have a field that widens them to other users' objects; then the
rule names the field, and only administrators may set it. Ownership is checked where the object is read, with
`authorize_object`: somebody else's object is Missing and not Denied, so that ids cannot be probed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from puddle.server.domain.people import Caller, Role
from puddle.server.errors import Denied, Missing, Unauthenticated


class Access(StrEnum):
    """Who may call a method."""

    ANYONE = "anyone"
    USER = "user"
    OWNER = "owner or administrator"
    OWNER_ALONE = "owner alone"
    ADMIN = "administrator"


@dataclass(frozen=True, slots=True)
class Widening:
    """A field of a request that asks for other users' objects, unless it is as `usual` or names the caller."""

    field: str
    usual: object


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call a method. `note`: what the docs say about it besides."""

    access: Access
    widened: Widening | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """The rule in words, for the docs."""
        return f"{self.access}; {self.widened.field} for administrators" if self.widened else self.access.value


_USER, _OWNER, _ADMIN = Rule(Access.USER), Rule(Access.OWNER), Rule(Access.ADMIN)
_ALL = Widening("scope", 0)
_ALONE = Rule(
    Access.OWNER_ALONE,
    note="what is logged in with is a person's: an administrator who could read it could act in their name, unseen by "
    "the audit trail, and reach their data; to help or to stop it, none needs it",
)

RULES: Mapping[str, Rule] = {
    "AuthService/Login": Rule(Access.ANYONE, note="the only one; failures are limited per key and address"),
    "AuthService/Logout": _USER,
    "AuthService/WhoAmI": _USER,
    "AuthService/CreateApiKey": Rule(Access.USER, Widening("user_id", "")),
    "AuthService/ListApiKeys": Rule(Access.USER, note="the caller's own, an administrator's too"),
    "AuthService/RevokeApiKey": _OWNER,
    "SystemService/CreateSystem": Rule(Access.USER, note="a source snapshot has to be one the caller may see"),
    "SystemService/ListSystems": Rule(Access.USER, _ALL),
    "SystemService/GetSystem": Rule(Access.OWNER, note="`password` is filled in for the owner alone"),
    "SystemService/StartSystem": _OWNER,
    "SystemService/StopSystem": _OWNER,
    "SystemService/RebootSystem": _OWNER,
    "SystemService/RestartDAI": _OWNER,
    "SystemService/TerminateSystem": _OWNER,
    "SystemService/FailSystem": _ADMIN,
    "SystemService/ScaleSystem": _OWNER,
    "SystemService/UpdateConfig": _OWNER,
    "SystemService/UpdateIdleTimeout": _OWNER,
    "SystemService/ExtendIdleTimeout": _OWNER,
    "SystemService/ListModels": _OWNER,
    "SystemService/GetCUConsumptionInfo": Rule(Access.USER, note="everybody's sums, the caller's systems and limits"),
    "SystemService/GetCredentials": _ALONE,
    "SystemService/GetSshKey": _ALONE,
    "SystemService/GetConsole": Rule(Access.OWNER, note="what the machine has printed"),
    "SystemService/GetStatusCatalog": Rule(Access.USER, note="no secret, but nobody needs it before logging in"),
    "SystemService/WatchSystems": Rule(Access.USER, _ALL, note="`ids` of others are as if they were not there"),
    "SnapshotService/CreateSnapshot": Rule(Access.OWNER, note="of the system"),
    "SnapshotService/ListSnapshots": Rule(
        Access.USER, _ALL, note="`system_id` has to be of a system the caller may see"
    ),
    "SnapshotService/GetSnapshot": _OWNER,
    "SnapshotService/DeleteSnapshot": _OWNER,
    "ImageService/ListAvailableImages": _USER,
    "ImageService/ListImages": _ADMIN,
    "ImageService/GetImage": _ADMIN,
    "ImageService/BuildImage": _ADMIN,
    "ImageService/DeleteImage": _ADMIN,
    "ImageService/GetBuildLog": _ADMIN,
    "InstanceTypeService/ListAvailableInstanceTypes": Rule(Access.USER, note="those the caller's groups may use"),
    "InstanceTypeService/ListInstanceTypes": _ADMIN,
    "InstanceTypeService/CreateInstanceType": _ADMIN,
    "InstanceTypeService/UpdateInstanceType": _ADMIN,
    "InstanceTypeService/DeleteInstanceType": _ADMIN,
    "TagService/ListTags": _USER,
    "TagService/CreateTag": _ADMIN,
    "TagService/UpdateTag": _ADMIN,
    "TagService/DeleteTag": _ADMIN,
    "ReportService/CreateReport": Rule(Access.USER, Widening("everybody", usual=False)),
    "ReportService/GetReport": Rule(Access.OWNER, note="of a report is who asked for it"),
    "ReportService/ListReports": Rule(Access.USER, note="those the caller has asked for"),
    "ReportService/ListReportEntries": Rule(Access.OWNER, note="of a report is who asked for it"),
    "EventService/ListEvents": Rule(Access.USER, note="about the caller's own; an administrator is shown all"),
    "AdminService/ListUsers": _ADMIN,
    "AdminService/CreateUser": _ADMIN,
    "AdminService/UpdateUser": _ADMIN,
    "AdminService/ListGroups": _ADMIN,
    "AdminService/SetGroupLimits": _ADMIN,
    "AdminService/ListAlerts": Rule(Access.USER, note="about the caller's systems; an administrator is shown all"),
    "AdminService/AcknowledgeAlert": Rule(Access.OWNER, note="of the system it is about"),
}
"""Service and method → who may call it."""


def rule(method: str) -> Rule:
    """Return the rule of a method ("SystemService/StopSystem"). Raises Denied where it has none."""
    try:
        return RULES[method]
    except KeyError:
        raise Denied(f"{method} cannot be called: nobody is allowed to", "no_rule") from None


def may_call(found: Rule, role: Role | None) -> bool:
    """Return whether a caller with that role (None: not authenticated) may call the method."""
    if found.access is Access.ANYONE:
        return True
    return role is Role.ADMIN or (role is Role.USER and found.access is not Access.ADMIN)


def authorize(method: str, caller: Caller | None, request: object) -> None:
    """Raise Unauthenticated or Denied unless the caller may send this request. `request`: the message."""
    found = rule(method)
    if not may_call(found, caller.user.role if caller else None):
        if caller is None:
            raise Unauthenticated("log in first: this needs a token", "no_token")
        raise Denied
    if caller is not None and not caller.admin and found.widened and asks_for_more(found.widened, request, caller):
        raise Denied(f"only an administrator may use {found.widened.field} here")


def asks_for_more(widened: Widening, request: object, caller: Caller) -> bool:
    """Return whether `request` asks for other users' objects."""
    return getattr(request, widened.field) not in (widened.usual, caller.user.id)


def authorize_object(method: str, caller: Caller, owner_id: str, kind: str, which: str) -> None:
    """Raise Missing, as if it did not exist, unless the caller may see this object (a `kind` and its id)."""
    owns = caller.user.id == owner_id
    if not owns and (rule(method).access is Access.OWNER_ALONE or not caller.admin):
        raise Missing(kind, which)


def as_markdown() -> str:
    """Return the table for the docs."""
    lines = ["| method | who may call it | |", "|---|---|---|"]
    lines += [f"| {method} | {found.name} | {found.note} |" for method, found in RULES.items()]
    return "\n".join(lines) + "\n"
