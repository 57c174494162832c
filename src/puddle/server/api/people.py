"""Users, groups and their limits, as administrators manage them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy.exc import IntegrityError

from puddle.server.api.base import UseCases, found, new_id, record
from puddle.server.api.limits import usage, usages
from puddle.server.domain import validation
from puddle.server.domain.people import Caller, Group, Limits, Role, User
from puddle.server.domain.quota import Usage
from puddle.server.errors import Invalid, Precondition
from puddle.server.store import Transaction

MAX_GROUPS = 50


@dataclass(frozen=True, slots=True)
class UserView:
    """A user, and what they have."""

    user: User
    used: Usage


class People(UseCases):
    """Who may use Puddle, and how much of it."""

    def users(self) -> list[UserView]:
        """Return all users, by name."""
        now = self._now()
        with self._store.reading() as tx:
            everybody = sorted(tx.users.all(), key=lambda user: user.name)
            used = usages(tx, [user.id for user in everybody], now)
        return [UserView(user, used[user.id]) for user in everybody]

    def create(
        self, caller: Caller, name: str, role: Role, email: str = "", display_name: str = "", groups: Sequence[str] = ()
    ) -> UserView:
        """Create a user. They need a key to log in with (`Logins.create_key`)."""
        now = self._now()
        user = User(
            id=new_id("usr"),
            name=validation.user_name(name),
            role=role,
            email=validation.email(email),
            display_name=validation.display_name(display_name),
            groups=_groups(groups),
            created=now,
        )
        try:
            with self._store.writing() as tx:
                tx.users.add(user)
                record(tx, caller, now, "user.create", user.id, after=_told(user))
        except IntegrityError:
            raise Precondition(f"there is a user {user.name!r} already", "name_taken") from None
        return UserView(user, Usage())

    def update(
        self,
        caller: Caller,
        user_id: str,
        *,
        role: Role | None = None,
        active: bool | None = None,
        limits: Limits | None = None,
        groups: Sequence[str] | None = None,
        email: str | None = None,
        display_name: str | None = None,
    ) -> UserView:
        """Change what is given. There is always an active administrator left."""
        now = self._now()
        with self._store.writing() as tx:
            tx.lock("users")
            before = found(tx.users.get(user_id), "user", user_id)
            user = replace(
                before,
                role=before.role if role is None else role,
                active=before.active if active is None else active,
                limits=before.limits if limits is None else limits,
                groups=before.groups if groups is None else _groups(groups),
                email=before.email if email is None else validation.email(email),
                display_name=before.display_name if display_name is None else validation.display_name(display_name),
            )
            tx.users.put(user)
            _one_administrator_left(tx)
            record(tx, caller, now, "user.update", user.id, before=_told(before), after=_told(user))
            return UserView(user, usage(tx, [user.id], now))

    def groups(self) -> list[Group]:
        """Return the groups that have limits, or members."""
        with self._store.reading() as tx:
            known = {group.name: group for group in tx.groups.all()}
            named = {name for user in tx.users.all() for name in user.groups}
        return [known.get(name, Group(name=name)) for name in sorted(named | known.keys())]

    def limit_group(self, caller: Caller, name: str, limits: Limits) -> Group:
        """Set what the members of a group may have together."""
        group = Group(name=validation.group_name("name", name), limits=limits)
        with self._store.writing() as tx:
            tx.lock("groups")
            before = tx.groups.get(group.name)
            if before is None:
                tx.groups.add(group)
            else:
                tx.groups.put(group)
            was = asdict(before.limits) if before else None
            record(tx, caller, self._now(), "group.limit", group.name, before=was, after=asdict(limits))
        return group


def _groups(names: Sequence[str]) -> tuple[str, ...]:
    if len(names) > MAX_GROUPS:
        raise Invalid("groups", f"are at most {MAX_GROUPS}")
    return tuple(dict.fromkeys(validation.group_name("groups", name) for name in names))


def _told(user: User) -> dict[str, object]:
    told = {"name": user.name, "email": user.email, "display_name": user.display_name, "role": user.role}
    return {**told, "active": user.active, "groups": user.groups, **asdict(user.limits)}


def _one_administrator_left(tx: Transaction) -> None:
    if not any(user.active and user.role is Role.ADMIN for user in tx.users.all()):
        raise Precondition("there would be no administrator left; make somebody else one first", "last_admin")
