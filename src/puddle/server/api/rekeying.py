"""Key rotation: encrypting again what an older master key has encrypted, so that the older key can be removed.

The database names the key that secrets are encrypted with: the newest of whoever started or rotated last. A server that
runs on with an older one would write what nobody can read once that key is removed, so it refuses to.

Each password is written in a transaction of its own, and only where its record has not changed since it was read; the
record's revision goes up with it, so that nobody who has read the old one puts it back. Servers may run meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from puddle.server.auth.secrets import PASSWORD, Keyring, SecretUnreadable
from puddle.server.errors import Precondition
from puddle.server.store import Store, Transaction
from puddle.server.store.systems import Sealed

_log = structlog.get_logger(__name__)
_PASSES = 10
_MISSING = "passwords are encrypted with another master key than this server's; put it into its file, and restart"
_IF_LOST = "puddle rotate-master-key --reencrypt"
_REPLACED = "this server cannot keep a new password: the master key was replaced; an administrator has to restart it"


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """How many passwords of `total` were encrypted again, and the systems whose password was left as it is.

    `unreadable`: none of the keys fits. `changing`: their records changed each time we came by.
    """

    total: int
    done: int = 0
    unreadable: tuple[str, ...] = ()
    changing: tuple[str, ...] = ()


def take_into_use(store: Store, keyring: Keyring) -> None:
    """Name the newest key of a server that starts, unless the one that is named is none of its own: that is logged."""
    with store.writing() as tx:
        named = tx.master_key()
        if not named or named in keyring:
            tx.use_master_key(keyring.newest)
        else:
            _log.error(_MISSING, named=named, here=repr(keyring), if_lost=_IF_LOST)


def check_key(tx: Transaction, keyring: Keyring) -> None:
    """Let a secret be encrypted in this transaction. Raises Precondition where another key is named by now."""
    named = tx.master_key()
    if named not in {"", keyring.newest}:
        _log.error(_MISSING, named=named, here=repr(keyring), if_lost=_IF_LOST)
        raise Precondition(_REPLACED, "master_key")


def rekey(store: Store, keyring: Keyring) -> Rekeyed:
    """Encrypt with the newest key whatever an older one has encrypted, and from now on everything."""
    with store.writing() as tx:
        tx.use_master_key(keyring.newest)
    done = 0
    for _ in range(_PASSES):
        found = _sorted_out(store, keyring)
        done += sum(_rewritten(store, keyring, each) for each in found.old)
        if not found.old:
            break
    else:
        found = _sorted_out(store, keyring)
    return Rekeyed(found.total, done, found.unreadable, tuple(each.system_id for each in found.old))


@dataclass(frozen=True, slots=True)
class _Found:
    total: int
    old: tuple[Sealed, ...]
    unreadable: tuple[str, ...]


def _rewritten(store: Store, keyring: Keyring, old: Sealed) -> bool:
    """Write a password anew; False where its record has changed since it was read."""
    plain = keyring.decrypt(old.secret, PASSWORD, old.system_id)
    with store.writing() as tx:
        return tx.systems.reseal(old, keyring.encrypt(plain, PASSWORD, old.system_id))


def _sorted_out(store: Store, keyring: Keyring) -> _Found:
    """Return what an older key has encrypted, and the systems whose password cannot be read."""
    with store.reading() as tx:
        kept = tx.systems.sealed()
    unreadable = [each.system_id for each in kept if not _readable(keyring, each)]
    left = set(unreadable)
    old = tuple(it for it in kept if it.system_id not in left and keyring.stale(it.secret))
    return _Found(len(kept), old, tuple(unreadable))


def _readable(keyring: Keyring, sealed: Sealed) -> bool:
    try:
        keyring.decrypt(sealed.secret, PASSWORD, sealed.system_id)
    except SecretUnreadable:
        return False
    return True
