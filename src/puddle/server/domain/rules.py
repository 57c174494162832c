"""The rules of an installation, as its administrators have configured them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from puddle.server.domain.records import NEVER
from puddle.server.domain.validation import DEFAULT_NAMING, Naming

IDLE_OPTIONS = {"30 minutes": 30, "1 hour": 60, "2 hours": 120, "3 hours": 180, "4 hours": 240, "Never": NEVER}


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudPrices:
    """What a cloud takes beside its machines: millionths of the currency per hour and GB, or per hour of a build."""

    disk_gb_micros: int = 0
    snapshot_gb_micros: int = 0
    build_micros: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of an installation.

    `idle_options`: label → minutes people may choose from, NEVER (-1) among them if allowed; `idle_default` is taken
    where nobody chooses. `extension_cap`: minutes from now that an owner may keep an unused system up at most.
    `cu_pool`: 0 is no limit. `fixed_tags`: on everything that is made. `owner_tag`: the label under which the
    owner's e-mail address is on it, too, where there is one; empty: nowhere. Times that end with `_s` are seconds.
    What is kept for 0 days is kept for ever.
    """

    naming: Naming = DEFAULT_NAMING
    idle_options: Mapping[str, int] = field(default_factory=lambda: dict(IDLE_OPTIONS))
    idle_default: int = 240
    idle_warning_s: int = 600
    extension_cap: int = 24 * 60
    disk_min_gb: int = 1
    disk_max_gb: int = 16_384
    cu_pool: int = 0
    out_of_cu: str = "all compute units are in use; stop a system, or ask an administrator for more"
    fixed_tags: tuple[tuple[str, str], ...] = ()
    owner_tag: str = ""
    prices: Mapping[str, CloudPrices] = field(default_factory=dict)
    patience_initializing_s: int = 3600
    patience_s: int = 1800
    build_patience_s: int = 3600
    probe_every_s: int = 60
    look_every_s: int = 60
    soon_s: int = 2
    book_every_s: int = 3600
    keep_alerts_days: int = 365
    keep_reports_days: int = 365
