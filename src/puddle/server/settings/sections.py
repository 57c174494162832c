"""The sections of the configuration file, with defaults that need nothing set."""

from __future__ import annotations

from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from puddle.server.domain.cost import micros
from puddle.server.domain.patterns import Pattern, PatternRefused
from puddle.server.domain.records import NEVER
from puddle.server.domain.rules import IDLE_OPTIONS, CloudPrices, Rules
from puddle.server.domain.validation import DEFAULT_NAMING, Naming

Price = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=6)]


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Server(Section):
    """How the server is reached."""

    host: str = Field(
        default="127.0.0.1", description="The address to listen on. Addresses other than loopback need TLS."
    )
    port: int = Field(default=8081, ge=0, le=65535, description="The port; 0 takes a free one.")
    cert_file: Path | None = Field(default=None, description="The TLS certificate and its chain, in PEM.")
    key_file: Path | None = Field(default=None, description="The certificate's private key, in PEM.")
    allow_plain: bool = Field(
        default=False,
        description="Listen without TLS on an address that is not loopback: behind a proxy that terminates it.",
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-For is trusted; none by default.",
    )
    most_bytes: int = Field(default=1 << 20, ge=1 << 16, le=1 << 28, description="The largest request, in bytes.")
    threads: int = Field(
        default=16,
        ge=1,
        le=20,
        description="Threads for calls that may block; each takes one of 30 connections to the database.",
    )
    waiting: int = Field(
        default=500, ge=0, le=100_000, description="Calls that may wait for a thread; more are answered with 503."
    )
    connections: int = Field(
        default=1000, ge=1, le=100_000, description="Connections at once; more are answered with 503."
    )
    connections_per_address: int = Field(
        default=250,
        ge=1,
        le=100_000,
        description="Connections from one address, except this machine's and trusted proxies'.",
    )
    streams_per_user: int = Field(default=5, ge=1, le=1000, description="Streams of WatchSystems a user may have open.")
    drain_s: int = Field(default=10, ge=1, le=300, description="Seconds that running calls have when the server stops.")

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
    """The database."""

    url: SecretStr = Field(
        default=SecretStr(""),
        description="``postgresql+psycopg://user:password@host/puddle`` or ``sqlite:////path/puddle.db``; empty: "
        "a SQLite file in the data folder. Several servers may share one PostgreSQL.",
    )
    url_file: Path | None = Field(
        default=None, description="A file that holds the URL instead, so that no password is in this one."
    )


class Auth(Section):
    """Authentication."""

    token_minutes: int = Field(
        default=15, ge=1, le=24 * 60, description="Lifetime of a token; it is renewed while it is used."
    )
    session_hours: int = Field(
        default=0,
        ge=0,
        le=24 * 365,
        description="Lifetime of a login, however often its token is renewed; 0: unlimited.",
    )
    failures_per_key: str = Field(default="30 per 5 minutes", description="Failed logins per API key.")
    failures_per_address: str = Field(default="60 per 5 minutes", description="Failed logins per client address.")
    master_keys_file: Path | None = Field(
        default=None, description="The keys that encrypt passwords in the database; created if missing. "
        "None: ``master.keys`` in the data folder. Servers that share a database share them."
    )  # fmt: skip
    master_keys: SecretStr = Field(
        default=SecretStr(""), description="The same keys, in base64, newest first, without a file."
    )


class Reconciler(Section):
    """The reconciler's loops."""

    loops: int = Field(
        default=1, ge=0, le=16, description="Loops in this server; 0 leaves reconciling to other servers."
    )
    workers: int = Field(
        default=16, ge=1, le=256, description="Concurrent calls of a loop to clouds, and as many to products."
    )
    batch: int = Field(default=256, ge=1, le=10_000, description="Systems a loop leases at once, at most.")
    lease_s: int = Field(
        default=60, ge=10, le=3600, description="Seconds after which another server takes over from a dead one."
    )


class Keep(Section):
    """How long alerts and reports are kept; sessions, the ledger, the audit trail and systems are kept for ever."""

    alerts_days: int = Field(
        default=365, ge=0, le=36_500, description="Days after which alerts are deleted, read or not; 0: never."
    )
    reports_days: int = Field(
        default=365, ge=0, le=36_500, description="Days after which reports are deleted; 0: never."
    )


class Idle(Section):
    """Stopping idle systems."""

    options: dict[str, int] = Field(
        default_factory=lambda: dict(IDLE_OPTIONS),
        description="The idle timeouts users may choose: label → minutes; -1 is never.",
    )
    default: int = Field(default=240, ge=-1, description="The default idle timeout in minutes; one of the options.")
    warning_s: int = Field(default=600, ge=0, description="Seconds before an idle stop at which the owner is warned.")
    extension_minutes: int = Field(
        default=24 * 60, ge=0, description="Minutes by which an owner may extend the idle timeout, at most."
    )

    @model_validator(mode="after")
    def _offered(self) -> Idle:
        if wrong := [label for label, minutes in self.options.items() if minutes < 1 and minutes != NEVER]:
            raise ValueError(f"options are 1 minute at least, or -1 for never; {', '.join(wrong)} is neither")
        if self.default not in self.options.values():
            raise ValueError("default is one of the options' minutes")
        return self


class Systems(Section):
    """Rules for systems."""

    name_pattern: str = Field(
        default=DEFAULT_NAMING.pattern.text, description="The pattern that a whole name has to match."
    )
    name_description: str = Field(
        default=DEFAULT_NAMING.description, description="The pattern in words, for error messages."
    )
    name_most: int = Field(default=DEFAULT_NAMING.most, ge=1, le=63, description="The greatest length of a name.")
    disk_min_gb: int = Field(default=1, ge=1, description="The smallest data disk.")
    disk_max_gb: int = Field(default=16_384, ge=1, description="The largest data disk.")
    cu_pool: int = Field(default=0, ge=0, description="Compute units of the whole installation; 0 is no limit.")
    out_of_cu: str = Field(default=Rules().out_of_cu, description="The message where no compute units are left.")
    fixed_tags: dict[str, str] = Field(default_factory=dict, description="Tags on all cloud resources.")
    owner_tag: str = Field(
        default="", description="The label of a tag with the owner's e-mail address; empty: no such tag."
    )
    initializing_s: int = Field(
        default=3600, ge=60, description="Timeout for a new system to become ready, in seconds."
    )
    patience_s: int = Field(default=1800, ge=60, description="Timeout for every other transition, in seconds.")
    build_s: int = Field(default=3600, ge=60, description="Timeout for building an image, in seconds.")

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
    """What a cloud costs besides its machines."""

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
    """The local cloud: this machine."""

    enabled: bool = Field(default=True, description="Whether systems can be made on this machine.")
    folder: Path | None = Field(default=None, description="Where its machines are. None: ``local`` in the data folder.")
    first_port: int = Field(default=23_000, ge=1024, le=65_535, description="The first of the ports systems get.")
    last_port: int = Field(default=24_999, ge=1024, le=65_535, description="The last of them.")
    prices: Prices = Field(default_factory=Prices, description="What it costs besides its machines.")


class Simulated(Section):
    """A simulated cloud and product, for trying Puddle out and for testing clients."""

    enabled: bool = Field(default=False, description="Whether they are offered.")
    prices: Prices = Field(default_factory=Prices, description="What it costs besides its machines.")


class Clouds(Section):
    """Where machines come from."""

    local: Local = Field(default_factory=Local, description="This machine.")
    simulated: Simulated = Field(default_factory=Simulated, description="A simulation, without machines.")


class H2O3(Section):
    """H2O-3."""

    enabled: bool = Field(default=True, description="Whether it is offered.")
    build_at_start: bool = Field(
        default=True, description="Build an image of its newest version on a fresh installation that has Java."
    )


class DAI(Section):
    """Driverless AI, the vendor's product, which you bring yourself."""

    installations: Path | None = Field(
        default=None,
        description="A folder with an unpacked installation for each version; none: it is not offered.",
    )
    license_file: Path | None = Field(
        default=None, description="The vendor's ``license.sig`` for all systems; none: users bring their own."
    )


class Products(Section):
    """What runs on machines."""

    h2o3: H2O3 = Field(default_factory=H2O3, description="H2O-3.")
    dai: DAI = Field(default_factory=DAI, description="Driverless AI.")


class Size(Section):
    """An instance type of a fresh installation; later ones are created with the API."""

    cloud: str = Field(default="local", description="The cloud it is of.")
    name: str = Field(description="The cloud's name of it.")
    text: str = Field(default="", description="The name that users see; `name` if empty.")
    price: Price = Field(default=Decimal(0), description="Per hour while started.")
    vcpus: float = Field(default=1.0, gt=0, description="Processors.")
    memory_gb: float = Field(default=1.0, gt=0, description="Memory in GB.")
    gpu_count: int = Field(default=0, ge=0, description="GPUs.")
    gpu_type: str = Field(default="", description="What GPUs they are.")
    cu: int = Field(default=1, ge=0, description="Compute units it holds while started.")


class Log(Section):
    """Logging to stderr. No body, header or secret is ever logged."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The lowest level that is logged."
    )
    format: Literal["auto", "json", "text"] = Field(default="auto", description="auto: text on a terminal, else JSON.")
