"""`AdminClient`: users, groups, API keys, alerts and the audit trail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from puddle.client.base_client import BaseClient, id_of
from puddle.client.proto.v2 import admin_service_pb2 as pb
from puddle.client.proto.v2 import auth_service_pb2 as auth
from puddle.client.proto.v2 import event_service_pb2 as trail
from puddle.client.proto.v2.common_pb2 import Empty

PAGE = 200
ROLES = {"user": auth.ROLE_USER, "admin": auth.ROLE_ADMIN}


class AdminClient(BaseClient):
    """Users, groups, keys, alerts and the audit trail of an installation; it is not tied to a cloud.

    Administrators may do everything here. Others have their own keys, the alerts about their systems, and the events
    that concern them. Where a user, key or alert is asked for, its id will do. What comes back are the messages of the
    API; 0 is "no limit" everywhere.
    """

    # users and groups

    def users(self) -> list[pb.User]:
        """Return all users by name, with their limits, systems and what they cost this month."""
        return [*self._call("AdminService", "ListUsers", Empty(), pb.ListUsersResponse()).users]

    def create_user(
        self,
        name: str,
        email: str = "",
        display_name: str = "",
        role: str = "user",
        groups: Iterable[str] = (),
    ) -> pb.User:
        """Create a user, with the role "user" or "admin". They need a key (`create_key`) to log in with."""
        request = pb.CreateUserRequest(
            name=name, email=email, display_name=display_name, role=_role(role), groups=groups
        )
        return self._call("AdminService", "CreateUser", request, pb.User())

    def update_user(
        self,
        user: str | pb.User,
        role: str | None = None,
        active: bool | None = None,
        limits: pb.Limits | None = None,
        groups: Iterable[str] | None = None,
        email: str | None = None,
        display_name: str | None = None,
    ) -> pb.User:
        """Change what is given. Keys and tokens of an inactive user are refused at once."""
        request = pb.UpdateUserRequest(
            id=_user_id(user),
            role=_role(role) if role else auth.ROLE_UNKNOWN,
            active=active,
            limits=limits,
            groups=groups or (),
            set_groups=groups is not None,
            email=email,
            display_name=display_name,
        )
        return self._call("AdminService", "UpdateUser", request, pb.User())

    def groups(self) -> list[pb.Group]:
        """Return the groups that have members or limits."""
        return [*self._call("AdminService", "ListGroups", Empty(), pb.ListGroupsResponse()).groups]

    def set_group_limits(self, name: str, limits: pb.Limits) -> pb.Group:
        """Set what the members of a group may have together."""
        return self._call("AdminService", "SetGroupLimits", pb.Group(name=name, limits=limits), pb.Group())

    # keys

    def create_key(self, name: str, valid_days: int = 0, user: str | pb.User = "") -> auth.ApiKey:
        """Create a key for the caller, or for another user. Its `secret` is in this response and nowhere else."""
        request = auth.CreateApiKeyRequest(name=name, valid_days=valid_days, user_id=_user_id(user))
        return self._call("AuthService", "CreateApiKey", request, auth.ApiKey())

    def list_keys(self) -> list[auth.ApiKey]:
        """Return the caller's keys, without their secrets."""
        return [*self._call("AuthService", "ListApiKeys", Empty(), auth.ListApiKeysResponse()).keys]

    def revoke_key(self, key: str | auth.ApiKey) -> auth.ApiKey:
        """Revoke a key, and all tokens it was exchanged for, at once."""
        return self._call("AuthService", "RevokeApiKey", auth.ApiKeyRequest(id=id_of(key)), auth.ApiKey())

    # what people should know, and what was done

    def alerts(self, include_acknowledged: bool = False) -> list[pb.Alert]:
        """Return alerts about the caller's systems; to an administrator, all."""
        request = pb.ListAlertsRequest(include_acknowledged=include_acknowledged)
        return [*self._call("AdminService", "ListAlerts", request, pb.ListAlertsResponse()).alerts]

    def acknowledge_alert(self, alert: str | pb.Alert) -> pb.Alert:
        """Mark an alert as read."""
        return self._call("AdminService", "AcknowledgeAlert", pb.AlertRequest(id=id_of(alert)), pb.Alert())

    def events(self, target: str = "", actor_id: str = "", since: float = 0, until: float = 0) -> Iterator[trail.Event]:
        """Yield the audit trail, the newest first; pages are fetched as they are needed.

        `target` is the id of what was done to, `actor_id` whose doing; from `since` until `until` (unix seconds).
        """
        request = trail.ListEventsRequest(
            target=target, actor_id=actor_id, since=int(since), until=int(until), page_size=PAGE
        )
        while True:
            answer = self._call("EventService", "ListEvents", request, trail.ListEventsResponse())
            yield from answer.events
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token


def _role(name: str) -> auth.Role:
    if name not in ROLES:
        raise ValueError(f"a role is one of {', '.join(ROLES)}, not {name!r}")
    return ROLES[name]


def _user_id(user: str | pb.User) -> str:
    return user if isinstance(user, str) else user.user.id
