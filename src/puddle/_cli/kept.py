"""Stored credentials: a server's address with a key, and the token it was last exchanged for.

Both are files with mode 0600. The token saves each command a login; it is short-lived, and stored only beside its key:
nothing is stored of keys that come from the environment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from puddle._cli.failures import Failed


def kept_in() -> Path:
    """Return where `puddle login` keeps the key."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "puddle" / "login.json"


def kept_login() -> Mapping[str, str]:
    """Return the address and the key that were kept; nothing where none were."""
    try:
        found = json.loads(kept_in().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise Failed(f"{kept_in()} is damaged; `puddle login` writes it anew") from None
    return found if isinstance(found, dict) else {}


def keep_login(address: str, key_id: str, secret: str) -> None:
    """Keep a server's address and a key."""
    _write(kept_in(), {"server_address": address, "api_key_id": key_id, "api_secret_key": secret})


def forget() -> bool:
    """Remove what is kept; False where nothing was."""
    there = kept_in().exists()
    for path in (_token_in(), kept_in()):
        path.unlink(missing_ok=True)
    return there


def kept_token(address: str, key_id: str) -> tuple[str, float] | None:
    """Return the token of a key, and when it ends (unix seconds); None where none was kept that can be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads(_token_in().read_text(encoding="utf-8"))
        if (found["server_address"], found["api_key_id"]) == (address, key_id):
            return str(found["token"]), float(found["expires"])
    return None


def keep_token(address: str, key_id: str, token: str, expires: float) -> None:
    """Keep the token of a key, if that can be."""
    with suppress(OSError):
        _write(_token_in(), {"server_address": address, "api_key_id": key_id, "token": token, "expires": expires})


def _token_in() -> Path:
    return kept_in().with_name("token.json")


def _write(path: Path, what: Mapping[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(what, file)
    beside.replace(path)
