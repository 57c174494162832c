"""What can be set about a server, with defaults that need nothing set.

Three places, the later ones counting more: `/etc/puddle/puddle.toml` (or the file `--config` names), environment
variables (`PUDDLE_SERVER__PORT` is `port` in `[server]`), and what the command line says. A key nobody knows is refused
and not passed over. `puddle settings` prints all keys, as the documentation has them.
"""

from __future__ import annotations

import difflib
import json
import os
import stat
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from puddle.server.domain.cost import micros
from puddle.server.domain.patterns import Pattern, PatternRefused
from puddle.server.domain.records import NEVER
from puddle.server.domain.rules import IDLE_OPTIONS, CloudPrices, Rules
from puddle.server.domain.validation import DEFAULT_NAMING, Naming

USUAL_FILE = Path("/etc/puddle/puddle.toml")
PREFIX, APART = "PUDDLE_", "__"

Price = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=6)]


class SettingsRefused(Exception):
    """Settings that cannot be used; the sentence names each key and says what is wrong with it."""


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Server(Section):
    """How the server is reached."""

    host: str = Field(default="127.0.0.1", description="The address it listens on. Another than loopback needs TLS.")
    port: int = Field(default=8081, ge=0, le=65535, description="The port; 0 takes a free one.")
    cert_file: Path | None = Field(default=None, description="The TLS certificate and its chain, in PEM.")
    key_file: Path | None = Field(default=None, description="The certificate's private key, in PEM.")
    allow_plain: bool = Field(
        default=False, description="Listen without TLS on an address that is not loopback: behind a proxy that has it."
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-For is believed; nobody's as it comes.",
    )
    most_bytes: int = Field(default=1 << 20, ge=1 << 16, le=1 << 28, description="The largest request, in bytes.")
    threads: int = Field(
        default=16,
        ge=1,
        le=20,
        description="Threads for calls that may wait; each takes one of 30 connections to the database.",
    )
    waiting: int = Field(
        default=500, ge=0, le=100_000, description="Calls that may wait for a thread before more are refused."
    )
    connections: int = Field(
        default=1000, ge=1, le=100_000, description="Connections at once; more are answered with 503."
    )
    connections_per_address: int = Field(
        default=250, ge=1, le=100_000, description="Of them from one address, but this machine's and trusted proxies'."
    )
    streams_per_user: int = Field(default=5, ge=1, le=1000, description="Streams of WatchSystems a user may have open.")
    drain_s: int = Field(default=10, ge=1, le=300, description="Seconds that calls have to end when the server stops.")

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in given:
            ip_network(proxy)  # or else uvicorn would take a "*", with which everybody says who they are
        return given

    @model_validator(mode="after")
    def _both(self) -> Server:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        return self


class Database(Section):
    """Where Puddle remembers."""

    url: SecretStr = Field(
        default=SecretStr(""),
        description="``postgresql+psycopg://user:password@host/puddle`` or ``sqlite:////path/puddle.db``; empty: "
        "a SQLite file in the data folder. Several servers may share one PostgreSQL.",
    )
    url_file: Path | None = Field(
        default=None, description="A file that holds the URL instead, so that no password is here."
    )


class Auth(Section):
    """Logging in."""

    token_minutes: int = Field(
        default=15, ge=1, le=24 * 60, description="How long a token lives; it is renewed while used."
    )
    session_hours: int = Field(
        default=0, ge=0, le=24 * 365, description="After which one has to log in again; 0: never."
    )
    failures_per_key: str = Field(default="30 per 5 minutes", description="Failed logins a key may have.")
    failures_per_address: str = Field(default="60 per 5 minutes", description="Failed logins an address may have.")
    master_keys_file: Path | None = Field(
        default=None, description="The keys that encrypt passwords in the database; made where there is none. "
        "None: ``master.keys`` in the data folder. Servers that share a database share them."
    )  # fmt: skip
    master_keys: SecretStr = Field(
        default=SecretStr(""), description="The same keys, in base64, newest first, without a file."
    )


class Reconciler(Section):
    """The loops that make wishes come true."""

    loops: int = Field(default=1, ge=0, le=16, description="Loops of this server; 0 leaves the work to others.")
    workers: int = Field(
        default=16, ge=1, le=256, description="Calls to clouds, and to products, that a loop makes at once."
    )
    batch: int = Field(default=256, ge=1, le=10_000, description="Systems a loop has in hand at most.")
    lease_s: int = Field(
        default=60, ge=10, le=3600, description="Seconds after which others take over from a dead server."
    )


class Keep(Section):
    """What is forgotten some day; sessions, the ledger, the audit trail and records of systems never are."""

    alerts_days: int = Field(
        default=365, ge=0, le=36_500, description="Days for which alerts are kept, read or not; 0: for ever."
    )
    reports_days: int = Field(
        default=365,
        ge=0,
        le=36_500,
        description="Days for which reports are kept, which can be made again; 0: for ever.",
    )


class Idle(Section):
    """Stopping what nobody uses."""

    options: dict[str, int] = Field(
        default_factory=lambda: dict(IDLE_OPTIONS), description="What people may choose: label → minutes; -1 is never."
    )
    default: int = Field(default=240, ge=-1, description="What is taken where nobody chooses; one of the options.")
    warning_s: int = Field(default=600, ge=0, description="Seconds before the stop at which the owner is warned.")
    extension_minutes: int = Field(
        default=24 * 60, ge=0, description="How far ahead an owner may keep an unused system on."
    )

    @model_validator(mode="after")
    def _offered(self) -> Idle:
        if wrong := [label for label, minutes in self.options.items() if minutes < 1 and minutes != NEVER]:
            raise ValueError(f"options are 1 minute at least, or -1 for never; {', '.join(wrong)} is neither")
        if self.default not in self.options.values():
            raise ValueError("default is one of the options' minutes")
        return self


class Systems(Section):
    """What systems may be."""

    name_pattern: str = Field(default=DEFAULT_NAMING.pattern.text, description="What a name has to match as a whole.")
    name_description: str = Field(default=DEFAULT_NAMING.description, description="The same in words, for people.")
    name_most: int = Field(default=DEFAULT_NAMING.most, ge=1, le=63, description="Characters a name has at most.")
    disk_min_gb: int = Field(default=1, ge=1, description="The smallest data disk.")
    disk_max_gb: int = Field(default=16_384, ge=1, description="The largest data disk.")
    cu_pool: int = Field(default=0, ge=0, description="Compute units of the whole installation; 0 is no limit.")
    out_of_cu: str = Field(default=Rules().out_of_cu, description="What people read where none are left.")
    fixed_tags: dict[str, str] = Field(default_factory=dict, description="Tags on everything that is made.")
    owner_tag: str = Field(
        default="", description="The label under which the owner's e-mail address is on it; empty: nowhere."
    )
    initializing_s: int = Field(default=3600, ge=60, description="Seconds a new system has to become ready.")
    patience_s: int = Field(default=1800, ge=60, description="Seconds every other change has.")
    build_s: int = Field(default=3600, ge=60, description="Seconds an image has to be built.")

    @model_validator(mode="after")
    def _usable(self) -> Systems:
        try:
            Pattern(self.name_pattern)
        except PatternRefused as error:
            raise ValueError(f"name_pattern: {error}") from None
        if self.disk_min_gb > self.disk_max_gb:
            raise ValueError("disk_min_gb is not larger than disk_max_gb")
        return self

    @property
    def naming(self) -> Naming:
        """The rule of names."""
        return Naming(pattern=Pattern(self.name_pattern), description=self.name_description, most=self.name_most)


class Prices(Section):
    """What a cloud takes beside its machines."""

    disk_gb: Price = Field(default=Decimal(0), description="Per hour and GB of a stopped system's disk.")
    snapshot_gb: Price = Field(default=Decimal(0), description="Per hour and GB of a snapshot.")
    build: Price = Field(default=Decimal(0), description="Per hour of building an image.")

    def exact(self) -> CloudPrices:
        """Return them in millionths."""
        return CloudPrices(
            disk_gb_micros=micros(self.disk_gb),
            snapshot_gb_micros=micros(self.snapshot_gb),
            build_micros=micros(self.build),
        )


class Local(Section):
    """The cloud that is this very machine."""

    enabled: bool = Field(default=True, description="Whether systems can be made on this machine.")
    folder: Path | None = Field(default=None, description="Where its machines are. None: ``local`` in the data folder.")
    first_port: int = Field(default=23_000, ge=1024, le=65_535, description="The first of the ports systems get.")
    last_port: int = Field(default=24_999, ge=1024, le=65_535, description="The last of them.")
    prices: Prices = Field(default_factory=Prices, description="What it takes beside its machines.")


class Simulated(Section):
    """A cloud and a product that are only thought of, for trying Puddle out and for testing clients."""

    enabled: bool = Field(default=False, description="Whether there are such a cloud and product.")
    prices: Prices = Field(default_factory=Prices, description="What it takes beside its machines.")


class Clouds(Section):
    """Where machines come from."""

    local: Local = Field(default_factory=Local, description="This machine.")
    simulated: Simulated = Field(default_factory=Simulated, description="No machines at all.")


class H2O3(Section):
    """H2O-3."""

    enabled: bool = Field(default=True, description="Whether it is offered.")
    build_at_start: bool = Field(
        default=True, description="Build an image of its newest version on a fresh installation that has Java."
    )


class DAI(Section):
    """Driverless AI, the vendor's product, which you bring yourself."""

    installations: Path | None = Field(
        default=None, description="A folder with an unpacked installation for each version; none: it is not offered."
    )
    license_file: Path | None = Field(
        default=None, description="The vendor's ``license.sig`` for all systems; none: users bring their own."
    )


class Products(Section):
    """What runs on machines."""

    h2o3: H2O3 = Field(default_factory=H2O3, description="H2O-3.")
    dai: DAI = Field(default_factory=DAI, description="Driverless AI.")


class Size(Section):
    """An instance type that a fresh installation offers; later ones are made with the API."""

    cloud: str = Field(default="local", description="The cloud it is of.")
    name: str = Field(description="The cloud's word for it.")
    text: str = Field(default="", description="What people read; the name where it is empty.")
    price: Price = Field(default=Decimal(0), description="Per hour while started.")
    vcpus: float = Field(default=1.0, gt=0, description="Processors.")
    memory_gb: float = Field(default=1.0, gt=0, description="Memory in GB.")
    gpu_count: int = Field(default=0, ge=0, description="GPUs.")
    gpu_type: str = Field(default="", description="What GPUs they are.")
    cu: int = Field(default=1, ge=0, description="Compute units it holds while started.")


class Log(Section):
    """What is told on stderr. No body, header or secret is ever in it."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="From which level on.")
    format: Literal["auto", "json", "text"] = Field(default="auto", description="auto: text on a terminal, else JSON.")


def usual_data() -> Path:
    """Return where data is kept where nothing is said: ``~/.local/share/puddle``, or as XDG_DATA_HOME has it."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "puddle"


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=APART, extra="forbid", frozen=True, validate_default=True
    )

    data: Path = Field(
        default_factory=usual_data,
        description="The folder for all that is kept; ``~/.local/share/puddle`` as it comes.",
    )
    server: Server = Field(default_factory=Server, description="How the server is reached.")
    database: Database = Field(default_factory=Database, description="Where Puddle remembers.")
    auth: Auth = Field(default_factory=Auth, description="Logging in.")
    reconciler: Reconciler = Field(default_factory=Reconciler, description="The loops that make wishes come true.")
    keep: Keep = Field(default_factory=Keep, description="What is forgotten some day.")
    idle: Idle = Field(default_factory=Idle, description="Stopping what nobody uses.")
    systems: Systems = Field(default_factory=Systems, description="What systems may be.")
    clouds: Clouds = Field(default_factory=Clouds, description="Where machines come from.")
    products: Products = Field(default_factory=Products, description="What runs on machines.")
    instance_types: tuple[Size, ...] = Field(
        default=(), description="The instance types of a fresh installation; empty: some that fit this machine."
    )
    log: Log = Field(default_factory=Log, description="What is told on stderr.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Say which places count, the first most."""
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


def load(config: Path | None = None, **said: Any) -> Settings:
    """Return the settings. `said`: what the command line says of sections. Raises SettingsRefused."""
    if config is not None and not config.is_file():
        raise SettingsRefused(f"{config} is not there; --config names a TOML file")
    file = config or (USUAL_FILE if USUAL_FILE.is_file() else None)

    _check_readers(file)

    class Loaded(Settings):
        model_config = SettingsConfigDict(toml_file=file)

    try:
        return Loaded(**said)
    except ValidationError as error:
        raise SettingsRefused("\n".join(_told(each) for each in error.errors(include_input=False))) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsRefused(f"{file} is not TOML: {error}") from None
    except ValueError as error:  # a list or map in the environment that is not JSON
        raise SettingsRefused(f"the environment cannot be read: {error}; lists and maps are written as JSON") from None


def _check_readers(file: Path | None) -> None:
    """Refuse a file with secrets in it that everybody can read, as that of master keys is."""
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
    except (ValueError, AttributeError):  # it is told what is wrong when it is read as a whole
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


# for messages and the documentation


def described(model: type[BaseModel] = Settings, before: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield every key, its default as it is written in TOML, and what it means."""
    for name, field in model.model_fields.items():
        key = f"{before}{name}"
        inner = _section(field)
        if inner is None:
            yield key, _written(key, field), field.description or ""
        else:
            yield from described(inner, f"{key}[]." if name == "instance_types" else f"{key}.")


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind: Any = field.annotation
    if getattr(kind, "__args__", None) and kind.__args__[0] is Size:
        return Size
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def _written(key: str, field: FieldInfo) -> str:
    if field.is_required() or key == "data":
        return ""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {json.dumps(each)}" for name, each in value.items()) + "}"
    return "" if value is None else json.dumps(value, default=str)
