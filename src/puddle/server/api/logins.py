"""Logging in with API keys, authenticating calls by tokens, and managing the keys."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from puddle.server.api.base import UseCases, found, record
from puddle.server.auth import keys, tokens
from puddle.server.auth.attempts import LoginLimiter
from puddle.server.auth.tokens import TokenLifetimes
from puddle.server.backend import Backend
from puddle.server.domain import permissions, validation
from puddle.server.domain.people import ApiKey, Caller, Token, User
from puddle.server.errors import Precondition, Unauthenticated

MAX_KEYS = 50
MAX_RENEWALS = 10_000
"""Tokens whose renewals a process remembers, so that many calls with an old one do not create many."""


@dataclass(frozen=True, slots=True)
class Login:
    """A token, which is stored nowhere, and when it expires."""

    token: str
    expires: int
    user: User


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The caller of a request, and a new token where theirs expires soon."""

    caller: Caller
    fresh: Login | None
    expires: int


class Logins(UseCases):
    """Authentication, and API keys."""

    def __init__(self, backend: Backend, limiter: LoginLimiter, lifetimes: TokenLifetimes) -> None:
        """`limiter` counts failures in this process."""
        super().__init__(backend)
        self._limiter = limiter
        self._lifetimes = lifetimes
        self._renewals: OrderedDict[str, Login] = OrderedDict()

    def login(self, key_id: str, secret: str, address: str, request_id: str = "") -> Login:
        """Exchange key and secret for a token. `address`: the client's, for the limits on failures."""
        now = self._now()
        self._limiter.check(key_id, secret, address, now)
        with self._store.reading() as tx:
            key = tx.keys.get(key_id)
        login = None
        if keys.verify(key, secret, now) and key is not None:
            login = self._log_in(keys.refreshed(key, secret), now, request_id)
        if login is None:
            self._limiter.failed(key_id, secret, address, now)
            raise Unauthenticated("key and secret do not fit, or the key is not in use any more", "bad_credentials")
        self._limiter.succeeded(key_id, secret)
        return login

    def _log_in(self, proved: ApiKey, now: int, request_id: str) -> Login | None:
        """Return a token for a verified key; None where the key is revoked by now, or its user inactive.

        Verifying takes its time, outside of a transaction: what was changed meanwhile counts, and is not undone.
        """
        with self._store.writing() as tx:
            key = tx.keys.get(proved.id)
            user = tx.users.get(proved.user_id)
            if key is None or user is None or not keys.usable(key, now) or not user.active:
                return None
            token, secret = tokens.new_token(user.id, key.id, now, self._lifetimes)
            tx.keys.put(replace(key, last_used=now, secret_hash=proved.secret_hash))
            tx.users.put(replace(user, last_login=now))
            tx.tokens.add(token)
            record(tx, Caller(user, key.id, request_id), now, "login", user.id, key.id)
        return Login(secret, token.expires, user)

    def authenticate(self, token: str, request_id: str = "") -> Authenticated:
        """Return the caller whose token it is. Raises Unauthenticated."""
        now = self._now()
        known = self._store.bearer(tokens.digest(token), now) if token else None
        if known is None:
            raise Unauthenticated("the token is not known or has ended; log in again", "bad_token")
        held, user = known
        return Authenticated(Caller(user, held.key_id, request_id), self._fresh(held, user, now), held.expires)

    def _fresh(self, held: Token, user: User, now: int) -> Login | None:
        """Return the next token of an old one: the same for all calls with the old one in this process."""
        if (given := self._renewals.get(held.digest)) and given.expires > now:
            return given
        following = tokens.renewed(held, now, self._lifetimes)
        if following is None:
            return None
        fresh, secret = following
        with self._store.writing() as tx:
            tx.tokens.add(fresh)
        login = self._renewals[held.digest] = Login(secret, fresh.expires, user)
        while len(self._renewals) > MAX_RENEWALS:
            self._renewals.popitem(last=False)
        return login

    def logout(self, caller: Caller, token: str) -> None:
        """End a login: revoke its token, and those it was renewed by."""
        digest = tokens.digest(token)
        self._renewals.pop(digest, None)
        with self._store.writing() as tx:
            tx.tokens.end_login(digest)
            record(tx, caller, self._now(), "logout", caller.user.id, caller.key_id)

    # keys

    def keys(self, caller: Caller) -> list[ApiKey]:
        """Return the caller's keys."""
        with self._store.reading() as tx:
            return tx.keys.of_user(caller.user.id)

    def create_key(self, caller: Caller, name: str, valid_days: int = 0, user_id: str = "") -> tuple[ApiKey, str]:
        """Create a key; its secret is in this response only. `user_id`: its user, unless that is the caller."""
        now = self._now()
        owner_id = user_id or caller.user.id
        key, secret = keys.new_key(owner_id, validation.key_name(name), now, validation.valid_days(valid_days))
        with self._store.writing() as tx:
            found(tx.users.get(owner_id), "user", owner_id)
            if sum(keys.usable(other, now) for other in tx.keys.of_user(owner_id)) >= MAX_KEYS:
                raise Precondition(f"there are {MAX_KEYS} keys already; revoke one first", "quota")
            tx.keys.add(key)
            record(tx, caller, now, "key.create", key.id, owner_id, after={"name": key.name, "expires": key.expires})
        return key, secret

    def revoke_key(self, caller: Caller, key_id: str) -> ApiKey:
        """Revoke a key, and with it all tokens it was exchanged for."""
        with self._store.writing() as tx:
            key = found(tx.keys.get(key_id), "key", key_id)
            permissions.authorize_object("AuthService/RevokeApiKey", caller, key.user_id, "key", key_id)
            revoked = replace(key, revoked=True)
            if not key.revoked:
                tx.keys.put(revoked)
                record(tx, caller, self._now(), "key.revoke", key.id, key.user_id)
        return revoked
