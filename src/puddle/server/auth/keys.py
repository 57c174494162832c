"""API keys: an id that may be seen, and a secret that is shown once.

The secret is 256 random bits, so nobody finds it by trying, however fast the hash. It is hashed with argon2id all the
same: a stolen database then gives nothing to log in with. The parameters are modest (about ten milliseconds and 8 MiB)
on purpose, since what a slow hash would add to 256 bits is nothing, and what it would cost is the server's memory and
time whenever a stranger tries to log in. Only a login pays for it; every other call carries a token (see `tokens`).

Both parts have a prefix of their own (`pk_`, `ps_`), by which scanners recognise a secret that has leaked into a
repository or a log.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from puddle.server.domain.people import ApiKey

SECRET_PATTERN = r"ps_[A-Za-z0-9_-]{43}"  # noqa: S105 -- what a secret looks like, for scanners
_HASHER = PasswordHasher(time_cost=2, memory_cost=8 * 1024, parallelism=1)
_NOBODY = _HASHER.hash(secrets.token_urlsafe(32))
_DAY = 24 * 3600


def new_key(user_id: str, name: str, now: int, valid_days: int = 0) -> tuple[ApiKey, str]:
    """Return a key and its secret, which is stored nowhere. `valid_days` 0: it never expires."""
    secret = f"ps_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        id=f"pk_{secrets.token_hex(10)}",
        user_id=user_id,
        name=name,
        secret_hash=_HASHER.hash(secret),
        created=now,
        expires=now + valid_days * _DAY if valid_days else 0,
    )
    return key, secret


def verify(key: ApiKey | None, secret: str, now: int) -> bool:
    """Return whether `secret` is the key's and the key may be used now.

    `key` is None where the id is unknown. That takes as long as a wrong secret does, so that ids can't be probed; and
    whether a key is revoked or has expired is told by the same False, after the same work. Whether its user may
    still log in is for the caller to ask.
    """
    proved = _proved(key.secret_hash if key else _NOBODY, secret)
    return proved and key is not None and usable(key, now)


def usable(key: ApiKey, now: int) -> bool:
    """Return whether the key is neither revoked nor expired."""
    return not key.revoked and not 0 < key.expires <= now


def refreshed(key: ApiKey, secret: str) -> ApiKey:
    """Return the key hashed with today's parameters; itself where it is. `secret` must have been verified just now."""
    if not _HASHER.check_needs_rehash(key.secret_hash):
        return key
    return replace(key, secret_hash=_HASHER.hash(secret))


def _proved(secret_hash: str, secret: str) -> bool:
    try:
        return _HASHER.verify(secret_hash, secret.encode(errors="surrogatepass"))
    except (VerificationError, InvalidHashError):  # the second: a stored hash that cannot be read proves nothing
        return False
