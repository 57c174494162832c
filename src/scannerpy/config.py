"""Where the database lives: a small TOML file, by default ``~/.scanner/config.toml``.

A missing file is written with the defaults and used; nobody is asked anything, since a question would stop a script,
a notebook or a container for ever.
"""

from __future__ import annotations

import json
import math
import os
import tomllib
from pathlib import Path
from typing import Any

from scannerpy.common import log
from scannerpy.errors import ConfigError

__all__ = ["Config", "mkdir_p", "read_line"]

_NEEDED = {"posix": ("db_path",), "gcs": ("db_path", "bucket"), "s3": ("db_path", "bucket", "region", "endpoint")}


FILE_TIMEOUT = 60.0
"""Seconds in which nothing more can be read of a video file before its ingest is given up."""


def read_line(s: str) -> str:
    """Print the prompt `s` and read one line from standard input."""
    return input(s)


def mkdir_p(path: str) -> None:
    """Make the folder `path` and its parents; existing ones are fine."""
    Path(path).mkdir(parents=True, exist_ok=True)


class Config:
    """The configuration of a Client. `db_path` overrides the environment's SCANNER_DB_PATH, and that the file's.

    Attributes: ``config_path``, ``config`` (the TOML as a dict), ``db_path``, ``storage_config`` (the ``[storage]``
    table), ``storage`` (the same), ``master_address``, ``master_port``, ``worker_port`` (ports as strings),
    ``file_timeout`` (seconds) and ``module_dir``.
    Raises ConfigError for a missing key, an unknown storage type or a file that is not TOML.
    """

    def __init__(self, config_path: str | None = None, db_path: str | None = None) -> None:
        self.config_path = str(Path(config_path or self.default_config_path()).expanduser())
        self.config = (
            self._read() if Path(self.config_path).exists() else self._create(explicit=config_path is not None)
        )
        storage = self._table("storage", required=True)
        db_path = db_path if db_path is not None else os.environ.get("SCANNER_DB_PATH") or None
        self.storage_config: dict[str, Any] = {**storage, **({"db_path": db_path} if db_path is not None else {})}
        self._check_storage()
        self.db_path = str(Path(str(self.storage_config["db_path"])).expanduser())
        self.storage_config["db_path"] = self.db_path
        self.storage = self.storage_config
        network = {**self.default_config()["network"], **self._table("network", required=False)}
        self.master_address = str(network["master"])
        self.master_port = str(network["master_port"])
        self.worker_port = str(network["worker_port"])
        timeout = self._table("ingest", required=False).get("file_timeout", FILE_TIMEOUT)
        self.file_timeout = checked_timeout(timeout, f"{self.config_path}: [ingest] file_timeout")
        self.module_dir = str(Path(__file__).parent)

    @staticmethod
    def default_config_path() -> str:
        """``~/.scanner/config.toml``, expanded."""
        return str(Path.home() / ".scanner" / "config.toml")

    @staticmethod
    def default_config() -> dict[str, Any]:
        """Posix storage in ``~/.scanner/db``, master and worker ports 5001 and 5002 on localhost."""
        return {
            "storage": {"type": "posix", "db_path": str(Path.home() / ".scanner" / "db")},
            "network": {"master": "localhost", "master_port": "5001", "worker_port": "5002"},
        }

    def _read(self) -> dict[str, Any]:
        try:
            return tomllib.loads(Path(self.config_path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"cannot read the configuration {self.config_path}: {error}") from error

    def _create(self, *, explicit: bool) -> dict[str, Any]:
        defaults = self.default_config()
        try:
            mkdir_p(str(Path(self.config_path).parent))
            Path(self.config_path).write_text(_toml(defaults), encoding="utf-8")
        except OSError as error:
            if explicit:
                raise ConfigError(f"cannot write a default configuration to {self.config_path}: {error}") from error
            log.debug("running on the default configuration: %s cannot be written (%s)", self.config_path, error)
        if explicit:
            log.warning(
                "%s did not exist and was written with the defaults: is it the file you mean?", self.config_path
            )
        return defaults

    def _table(self, name: str, *, required: bool) -> dict[str, Any]:
        table = self.config.get(name)
        if table is None and not required:
            return {}
        if not isinstance(table, dict):
            raise ConfigError(f"{self.config_path} has no [{name}] table: add one, see Config.default_config()")
        return table

    def _check_storage(self) -> None:
        kind = self.storage_config.get("type")
        if kind not in _NEEDED:
            raise ConfigError(f"{self.config_path}: [storage] type is {kind!r}; it must be one of posix, gcs, s3")
        missing = [key for key in _NEEDED[kind] if key not in self.storage_config]
        if missing:
            raise ConfigError(f"{self.config_path}: [storage] of type {kind!r} also needs {', '.join(missing)}")


def checked_timeout(seconds: object, name: str) -> float:
    """Return a limit in seconds; 0 is none. Raises ConfigError for what is no such number."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise ConfigError(f"{name} is {seconds!r}: give seconds, or 0 for no limit")
    return float(seconds)


def _toml(config: dict[str, dict[str, Any]]) -> str:
    """Write two levels of strings as TOML (a JSON string is a TOML basic string)."""
    tables = (
        f"[{name}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in table.items()) for name, table in config.items()
    )
    return "\n".join(tables)
