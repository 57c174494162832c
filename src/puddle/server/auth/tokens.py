"""Tokens: what a login gives, good for minutes, renewed while it is used.

A token is 256 random bits that mean nothing by themselves. The store keeps only their SHA-256 digest, so a stolen
database holds no token; a fast hash is enough, since nobody guesses 256 bits. In the second half of its life a token is
answered with a fresh one, and stays good until its own end, so that calls made side by side do not trip each other.

All tokens of one login share `created`, the time of that login; a limit on the whole session counts from it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from puddle.server.domain.people import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLifetimes:
    """In seconds. `lifetime`: of one token. `session`: of a login, however often its token is renewed; 0: unlimited."""

    lifetime: int = 15 * 60
    session: int = 0


def new_token(user_id: str, key_id: str, now: int, lifetimes: TokenLifetimes) -> tuple[Token, str]:
    """Return a login's first token, as it is kept and as it is sent."""
    return _issue(user_id, key_id, now, now + _bounded(lifetimes.lifetime, lifetimes.session))


def digest(token: str) -> str:
    """Return what is kept of a token, and by what it is looked up."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def renewed(token: Token, now: int, lifetimes: TokenLifetimes) -> tuple[Token, str] | None:
    """Return the token that follows, or None where `token` is too young for it, over, or at the session's end."""
    if now >= token.expires or 2 * (token.expires - now) > lifetimes.lifetime:
        return None
    until = now + lifetimes.lifetime
    if lifetimes.session:
        until = min(until, token.created + lifetimes.session)
    return _issue(token.user_id, token.key_id, token.created, until) if until > token.expires else None


def _issue(user_id: str, key_id: str, created: int, expires: int) -> tuple[Token, str]:
    secret = f"pt_{secrets.token_urlsafe(32)}"
    return Token(digest=digest(secret), user_id=user_id, key_id=key_id, created=created, expires=expires), secret


def _bounded(lifetime: int, session: int) -> int:
    return min(lifetime, session) if session else lifetime
