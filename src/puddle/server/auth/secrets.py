"""Encryption at rest, for secrets that must be read again: the passwords of systems.

    v1 . <id of the master key> . <base64url of nonce and AES-256-GCM ciphertext>

The purpose and the owner of a secret ("password", a system's id) are authenticated with it: a ciphertext that is copied
into another row cannot be read there. Several master keys may be in use: the first encrypts, each decrypts what it
encrypted. To rotate, call `Keyring.rotate` and start the servers again, re-encrypt what `stale` finds, and remove the
old line from the file: `puddle rotate-master-key` does it.

The master keys lie in a file only the server's user can read, made at the first start, or come from a setting. Whoever
has both that file and the database has everything: keep their backups apart.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import stat
import string
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PASSWORD = "password"  # noqa: S105 -- what a secret is for
_VERSION = "v1"
_KEY_BYTES, _NONCE_BYTES = 32, 12
_HEADER = "# The master keys of a Puddle server, newest first. Whoever has one can read the secrets in its database.\n"
_PASSWORD_LETTERS = 24
_LETTERS = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))


class SecretUnreadable(Exception):
    """A stored secret cannot be decrypted: its master key is missing, or it is not what was stored there."""


class KeysRefused(Exception):
    """The master keys cannot be used as they are; the sentence says what to do."""


class Keyring:
    """The master keys. Printing one shows their ids only."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        """`keys`: 32 bytes each, newest first. Raises KeysRefused where there is none, or one of another length."""
        self._keys = {_key_id(key): key for key in keys}
        if not self._keys:
            raise KeysRefused("there is no master key; remove the empty file or setting, and one is made")
        if any(len(key) != _KEY_BYTES for key in self._keys.values()):
            raise KeysRefused(f"a master key has {_KEY_BYTES} bytes; `openssl rand -base64 32` prints a good one")
        self.newest = next(iter(self._keys))

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._keys

    def __repr__(self) -> str:
        return f"<Keyring {' '.join(self._keys)}>"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read keys in base64, newest first, apart by spaces, commas or lines; a line may be a `#` comment."""
        lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
        return cls(_decoded(word) for line in lines for word in line.replace(",", " ").split())

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the keys in a file, which is made with a new one (mode 0600) where there is none.

        Several servers may start at once: one makes the file, all read the same. Raises KeysRefused where others can
        read the file, or it holds no keys.
        """
        if not path.exists():
            with suppress(FileExistsError):  # another server was quicker; then it's that one's file
                _create(path, _HEADER + _new_line())
        return cls.from_text(_read_private(path))

    @classmethod
    def rotate(cls, path: Path) -> Self:
        """Put a new key on top of a file; what is encrypted from now on needs it, the old ones still decrypt."""
        held = _read_private(path)
        cls.from_text(held)
        _replace(path, _HEADER + _new_line() + held.removeprefix(_HEADER))
        return cls.load_or_create(path)

    def encrypt(self, plain: str, purpose: str, subject: str) -> str:
        """Return `plain` sealed for one purpose of one subject: a system's id, say."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self._keys[self.newest]).encrypt(nonce, plain.encode(), _bound_to(purpose, subject))
        return f"{_VERSION}.{self.newest}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def decrypt(self, sealed: str, purpose: str, subject: str) -> str:
        """Return what was sealed for that purpose and subject. Raises SecretUnreadable, which shows none of it."""
        key_id, content = _parts(sealed)
        if key_id not in self._keys:
            raise SecretUnreadable(f"the {purpose} of {subject} needs master key {key_id}; this server has {self!r}")
        nonce, body = content[:_NONCE_BYTES], content[_NONCE_BYTES:]
        try:
            return AESGCM(self._keys[key_id]).decrypt(nonce, body, _bound_to(purpose, subject)).decode()
        except (InvalidTag, ValueError):
            raise SecretUnreadable(f"what is stored as the {purpose} of {subject} is damaged or another's") from None

    def stale(self, sealed: str) -> bool:
        """Return whether it should be encrypted again, since a newer key is there."""
        return _parts(sealed)[0] != self.newest


def new_password() -> str:
    """Return a random password of letters and digits that are not mistaken for one another: 139 bits.

    It needs no quoting in any file, URL or shell.
    """
    return "".join(secrets.choice(_LETTERS) for _ in range(_PASSWORD_LETTERS))


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"puddle master key id\0" + key).hexdigest()[:12]


def _bound_to(purpose: str, subject: str) -> bytes:
    return f"{_VERSION}\0{purpose}\0{subject}".encode()


def _parts(sealed: str) -> tuple[str, bytes]:
    """Take a stored secret apart: the id of its master key, and nonce and ciphertext."""
    version, _, rest = sealed.partition(".")
    key_id, _, content = rest.partition(".")
    try:
        decoded = base64.b64decode(content, altchars=b"-_", validate=True)
    except ValueError:  # binascii's own is one
        decoded = b""
    if version != _VERSION or len(decoded) <= _NONCE_BYTES:
        raise SecretUnreadable("a stored secret is not in a form this server knows; was it written by a newer one?")
    return key_id, decoded


def _decoded(word: str) -> bytes:
    try:
        return base64.b64decode(word, altchars=b"-_" if set(word) & set("-_") else None, validate=True)
    except binascii.Error:
        raise KeysRefused("a master key is not in base64; `openssl rand -base64 32` prints a good one") from None


def _new_line() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode() + "\n"


def _read_private(path: Path) -> str:
    """Read a file that is its user's alone; the file that was looked at is the one that is read."""
    with path.open(encoding="ascii") as file:
        found = os.fstat(file.fileno())
        if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            mode = stat.S_IMODE(found.st_mode)
            raise KeysRefused(f"{path} is open to others (mode {mode:04o}): `chmod 600 {path}`; they may know the keys")
        if found.st_uid not in {os.geteuid(), 0}:
            raise KeysRefused(f"{path} belongs to another user (uid {found.st_uid}), who can read it; `chown` it")
        try:
            return file.read()
        except UnicodeDecodeError:
            raise KeysRefused(f"{path} is not a file of master keys: it is not text") from None


def _create(path: Path, content: str) -> None:
    """Put a file there whole, unless one is there. Raises FileExistsError."""
    beside = _written_beside(path, content)
    try:
        os.link(beside, path)
    finally:
        beside.unlink()
    _sync_folder(path.parent)


def _replace(path: Path, content: str) -> None:
    _written_beside(path, content).replace(path)
    _sync_folder(path.parent)


def _written_beside(path: Path, content: str) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return beside


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
