"""Reading the settings: which file and variables count, and what is wrong with them in sentences."""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from puddle.server.domain.rules import Rules
from puddle.server.settings import sections
from puddle.server.settings.describing import Described, described_fields

DEFAULT_FILE = Path("/etc/puddle/puddle.toml")
PREFIX, DELIMITER = "PUDDLE_", "__"


class SettingsRefused(Exception):
    """Settings that cannot be used; the sentence names each key and says what is wrong with it."""


def default_data() -> Path:
    """Return the default data folder: ``~/.local/share/puddle``, or as XDG_DATA_HOME has it."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "puddle"


class Settings(BaseSettings):
    """All settings of a server."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DELIMITER, extra="forbid", frozen=True, validate_default=True
    )

    data: Path = Field(
        default_factory=default_data,
        description="The folder for everything that is stored; ``~/.local/share/puddle`` by default.",
    )
    server: sections.Server = Field(default_factory=sections.Server, description="How the server is reached.")
    database: sections.Database = Field(default_factory=sections.Database, description="The database.")
    auth: sections.Auth = Field(default_factory=sections.Auth, description="Authentication.")
    reconciler: sections.Reconciler = Field(default_factory=sections.Reconciler, description="The reconciler's loops.")
    keep: sections.Keep = Field(default_factory=sections.Keep, description="How long alerts and reports are kept.")
    idle: sections.Idle = Field(default_factory=sections.Idle, description="Stopping idle systems.")
    systems: sections.Systems = Field(default_factory=sections.Systems, description="Rules for systems.")
    clouds: sections.Clouds = Field(default_factory=sections.Clouds, description="Where machines come from.")
    products: sections.Products = Field(default_factory=sections.Products, description="What runs on machines.")
    instance_types: tuple[sections.Size, ...] = Field(
        default=(), description="The instance types of a fresh installation; empty: some that fit this machine."
    )
    log: sections.Log = Field(default_factory=sections.Log, description="Logging to stderr.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, those that win first."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def database_url(self) -> str:
        """Return the URL of the database, which may hold a password: not to be shown."""
        if self.database.url_file is not None:
            return _text_of(self.database.url_file, "database.url_file").strip()
        return self.database.url.get_secret_value() or f"sqlite:///{self.data.absolute() / 'puddle.db'}"

    def keys_file(self) -> Path | None:
        """Return the file of master keys; None where the keys themselves are set."""
        if self.auth.master_keys.get_secret_value():
            return None
        return self.auth.master_keys_file or self.data / "master.keys"

    def rules(self) -> Rules:
        """Return the rules of the installation."""
        systems, idle = self.systems, self.idle
        return Rules(
            naming=systems.naming,
            idle_options=idle.options,
            idle_default=idle.default,
            idle_warning_s=idle.warning_s,
            extension_cap=idle.extension_minutes,
            disk_min_gb=systems.disk_min_gb,
            disk_max_gb=systems.disk_max_gb,
            cu_pool=systems.cu_pool,
            out_of_cu=systems.out_of_cu,
            fixed_tags=tuple(systems.fixed_tags.items()),
            owner_tag=systems.owner_tag,
            prices={"local": self.clouds.local.prices.exact(), "simulated": self.clouds.simulated.prices.exact()},
            patience_initializing_s=systems.initializing_s,
            patience_s=systems.patience_s,
            build_patience_s=systems.build_s,
            keep_alerts_days=self.keep.alerts_days,
            keep_reports_days=self.keep.reports_days,
        )


def load(config: Path | None = None, **given: Any) -> Settings:
    """Return the settings. `given`: values of the command line, by section. Raises SettingsRefused."""
    if config is not None and not config.is_file():
        raise SettingsRefused(f"{config} is not there; --config names a TOML file")
    file = config or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)

    _check_readers(file)

    class Loaded(Settings):
        model_config = SettingsConfigDict(toml_file=file)

    try:
        return Loaded(**given)
    except ValidationError as error:
        raise SettingsRefused("\n".join(_told(each) for each in error.errors(include_input=False))) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsRefused(f"{file} is not TOML: {error}") from None
    except ValueError as error:  # a list or map in the environment that is not JSON
        raise SettingsRefused(f"the environment cannot be read: {error}; lists and maps are written as JSON") from None


def _check_readers(file: Path | None) -> None:
    """Refuse a world-readable file that has secrets in it."""
    if file is None or not file.stat().st_mode & stat.S_IROTH:
        return
    if _has_secrets(file.read_text(encoding="utf-8", errors="replace")):
        raise SettingsRefused(
            f"{file} has master keys or a database's password in it, and everybody can read it: `chmod o-r {file}`, or "
            "use auth.master_keys_file and database.url_file"
        )


def _has_secrets(text: str) -> bool:
    try:
        held = tomllib.loads(text)
        keys, url = (held.get(table, {}).get(key) for table, key in (("auth", "master_keys"), ("database", "url")))
        return bool(keys or urlsplit(str(url)).password)
    except (ValueError, AttributeError):  # `load` reports what is wrong with it
        return False


def _told(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, [name for name, *_ in described()], 1, 0.5)
        return f"{key}: there is no such setting{f'; is it {near[0]}?' if near else ''}"
    return f"{key}: {str(error['msg']).removeprefix('Value error, ')}"


def _text_of(path: Path, key: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsRefused(f"{key}: {path} cannot be read: {error.strerror}") from None


def described() -> Iterator[Described]:
    """Yield every key, its default as it is written in TOML, and what it means."""
    return described_fields(Settings)
