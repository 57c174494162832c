"""Access tokens: what a login returns, valid for minutes, renewed while they are used.

A token is 256 random bits, opaque to its holder. The store keeps only the SHA-256 digest, so a stolen database has no
token; a fast hash is enough for 256 random bits. In the second half of a token's life responses carry a new one; the
old one stays valid until it expires, so that concurrent calls do not trip each other.

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
    """Return a login's first token, as it is stored and as it is sent."""
    return _issue(user_id, key_id, now, now + _bounded(lifetimes.lifetime, lifetimes.session))


def digest(token: str) -> str:
    """Return the digest under which a token is stored."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def renewed(token: Token, now: int, lifetimes: TokenLifetimes) -> tuple[Token, str] | None:
    """Return the next token; None where `token` is too young, has expired, or the login's session has ended."""
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
