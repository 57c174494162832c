"""Logins as products read them from a file: hashed, one line a user.

H2O-3 (Jetty's hash login) reads MD5, or the crypt of 1979 that looks at eight characters only; htpasswd files know
SHA-1 and more. All of these are fast, so a password that a person chose could be searched. Those of systems are made
by a machine, and what is not long enough to have been is refused here: a fast hash of so many random bits cannot be
searched.
"""

from __future__ import annotations

import base64
import hashlib
import re

from puddle.server.clouds.base import StepFailed

SHORTEST = 16
"""Characters of a password: 96 bits where it is made of URL-safe ones."""


def realm(username: str, password: str) -> bytes:
    """Return the `realm.properties` of Jetty's HashLoginService. Raises StepFailed where they cannot be used."""
    _check(username, password)
    digest = hashlib.md5(password.encode()).hexdigest()  # noqa: S324  the strongest it reads; see the module
    return f"{username}: MD5:{digest},user\n".encode()


def htpasswd(username: str, password: str) -> bytes:
    """Return an htpasswd file with one user. Raises StepFailed where they cannot be used."""
    _check(username, password)
    digest = hashlib.sha1(password.encode()).digest()  # noqa: S324  see the module
    return f"{username}:{{SHA}}{base64.b64encode(digest).decode()}\n".encode()


def _check(username: str, password: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", username):
        raise StepFailed("REFUSED", "a user's name on a system has letters, digits, '.', '_' and '-'", for_ever=True)
    if len(password) < SHORTEST or not password.isascii() or not password.isprintable():
        sentence = f"a system's password has at least {SHORTEST} printable characters, made by a machine"
        raise StepFailed("REFUSED", sentence, for_ever=True)
