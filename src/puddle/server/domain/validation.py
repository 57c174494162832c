"""What callers send, checked at the edge: each function returns the value as it is kept, or raises `errors.Invalid`.

Everything has a greatest length, and no text holds control characters (they forge lines in logs and headers, and
PostgreSQL refuses NUL), lone surrogates, or signs that turn the direction of reading. Texts lose the blanks around them
and are kept in Unicode's composed form, so that what looks the same is the same.
"""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from puddle.server.domain.catalog import InstanceType
from puddle.server.domain.cost import MICROS, micros
from puddle.server.domain.patterns import Pattern
from puddle.server.domain.people import Limits
from puddle.server.domain.records import NEVER
from puddle.server.errors import Invalid

MAX_CONFIG_BYTES = 64 * 1024
MAX_VALID_DAYS = 3650
_NOT_IN_TEXT = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LATEST = 1 << 40  # a time in seconds that still fits every calendar we meet
_MONEY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@+-]*[A-Za-z0-9])?", re.ASCII)
_EMAIL = re.compile(r"[!-?A-~]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", re.ASCII)
_GROUP = re.compile(r"[\w](?:[\w .:/=,-]*[\w])?")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]*", re.ASCII)
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_\\-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{16}}")


# words


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How systems may be called: an installation's own rule, and its words for it."""

    pattern: Pattern
    description: str
    most: int = 63


DEFAULT_NAMING = Naming(
    pattern=Pattern("[a-z0-9]([-a-z0-9]*[a-z0-9])?"),
    description="has lower-case letters, digits and hyphens, and neither begins nor ends with a hyphen",
)


def system_name(name: str, naming: Naming = DEFAULT_NAMING) -> str:
    """Check a system's name. Nothing is trimmed: names become those of machines."""
    if not name or len(name) > naming.most:
        raise Invalid("name", f"has 1 to {naming.most} characters")
    if not is_plain(name) or not naming.pattern.matches(name):
        raise Invalid("name", naming.description)
    return name


def text(field: str, value: str, most: int, *, least: int = 0, lines: bool = False) -> str:
    """Check a text people read. `lines`: it may have several of them."""
    cleaned = unicodedata.normalize("NFC", value[: 4 * most + 4]).strip()
    if lines:
        cleaned = cleaned.replace("\r\n", "\n")  # as browsers send it
    if not least <= len(cleaned) <= most or len(value) > 4 * most:
        raise Invalid(field, f"has {f'{least} to' if least else 'at most'} {most} characters")
    if not is_plain(cleaned, lines=lines):
        raise Invalid(field, "has no control characters" + ("" if lines else ", and one line"))
    return cleaned


def is_plain(value: str, *, lines: bool = False) -> bool:
    """Return whether a text has no control characters, lone surrogates or signs that turn the direction."""
    allowed = "\n\t" if lines else ""
    return not any(
        (unicodedata.category(sign) in _NOT_IN_TEXT or sign in _TURNING) and sign not in allowed for sign in value
    )


def identifier(field: str, value: str) -> str:
    """Check an id some program made: a request's, a group of a cloud's, one of our own that comes back."""
    return _like(_ID, field, value, 128, "begins with a letter or digit, and has only letters, digits and _ . : / -")


def snapshot_name(name: str) -> str:
    """Check what a snapshot is called."""
    return text("name", name, 100, least=1)


def description(value: str) -> str:
    """Check what people write about a thing."""
    return text("description", value, 1000, lines=True)


def reason(value: str) -> str:
    """Check why somebody did something, in their words."""
    return text("reason", value, 500)


def user_name(name: str) -> str:
    """Check a user's name, which may be an e-mail address."""
    rule = "has letters, digits and . _ @ + -, and begins and ends with one of the first two"
    return _like(_USER, "name", name, 64, rule)


def display_name(name: str) -> str:
    """Check what a user likes to be called."""
    return text("display_name", name, 100)


def email(address: str) -> str:
    """Check an e-mail address; empty is none. Whether anybody reads there, only a mail can tell."""
    if not address:
        return ""
    return _like(_EMAIL, "email", address, 254, "is empty or an address such as ada@example.com")


def group_name(field: str, name: str) -> str:
    """Check the name of a group, as directories have them."""
    return _like(_GROUP, field, unicodedata.normalize("NFC", name[:200]), 100, "is the name of a group")


def key_name(name: str) -> str:
    """Check what a user calls an API key."""
    return text("name", name, 100, least=1)


# numbers


def whole(field: str, value: int, least: int, most: int) -> int:
    """Check a whole number."""
    if not least <= value <= most:
        raise Invalid(field, f"is between {least} and {most}")
    return value


def valid_days(days: int) -> int:
    """Check for how many days a key is valid; 0 is without end."""
    return whole("valid_days", days, 0, MAX_VALID_DAYS)


def disk_gb(size: int, most: int, least: int = 1) -> int:
    """Check a disk's size. `least`: what the image needs, or the size the disk has already, since disks only grow."""
    return whole("disk_size_gb", size, least, most)


def idle_minutes(field: str, minutes: int, options: Mapping[str, int], default: int | None = None) -> int:
    """Check an idle interval: one of the options (label → minutes; -1 is never). 0 takes a default, if there is one."""
    if minutes == 0 and default is not None:
        return default
    if minutes not in options.values():
        offered = ", ".join(f"{value} ({label})" for label, value in sorted(options.items(), key=_never_last))
        raise Invalid(field, f"is one of {offered}")
    return minutes


def extension(minutes: int, most: int) -> int:
    """Check by how many minutes an idle deadline is put off; `most` is what administrators allow."""
    if most == 0:
        raise Invalid("minutes", "cannot be given: this installation allows no extensions")
    return whole("minutes", minutes, 1, most)


def span(start: int, end: int) -> tuple[int, int]:
    """Check the times a report is about (unix seconds)."""
    whole("start", start, 0, _LATEST)
    whole("end", end, 0, _LATEST)
    if start >= end:
        raise Invalid("end", "is later than start")
    return start, end


def price(field: str, decimal: str, most: int = MICROS) -> int:
    """Check an amount of money, with at most six decimals; return it in millionths. `most` in units of currency."""
    if len(decimal) > 20 or not _MONEY.fullmatch(decimal):  # before Decimal, which would make 1e999999 a million digits
        raise Invalid(field, "is a decimal number such as 0.90, not negative, with at most six decimals")
    if micros(decimal) > most * MICROS:
        raise Invalid(field, f"is at most {most}")
    return micros(decimal)


def limits(systems: int, running: int, cu: int, budget_decimal: str) -> Limits:
    """Check what somebody may have at most; 0 (and an empty budget) is no limit."""
    return Limits(
        systems=whole("limits.systems", systems, 0, 10**6),
        running=whole("limits.running", running, 0, 10**6),
        cu=whole("limits.cu", cu, 0, 10**6),
        budget_micros=price("limits.budget_per_month_decimal", budget_decimal or "0", 10**9),
    )


# things


def config(value: str) -> str:
    """Check a configuration: TOML of at most `MAX_CONFIG_BYTES`. What it means is for the product to say."""
    if len(value) > MAX_CONFIG_BYTES or _bytes(value) > MAX_CONFIG_BYTES:
        raise Invalid("config", f"has at most {MAX_CONFIG_BYTES} bytes")
    if _LONG_KEY.search(value):  # for such keys tomllib takes time that grows with their square, and more
        raise Invalid("config", "has no key of more than 16 parts")
    try:
        tomllib.loads(value)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("config", "is valid TOML", f"config is not valid TOML: {error}") from None
    except RecursionError:
        raise Invalid("config", "is valid TOML", "config is not valid TOML: it is nested too deeply") from None
    except ValueError:
        raise Invalid("config", "is valid TOML", "config is not valid TOML: a number in it is too long") from None
    return value


def instance_type(offered: InstanceType, clouds: Collection[str]) -> InstanceType:
    """Check what an administrator says of a size of machine; `clouds` are those that are there."""
    if offered.cloud not in clouds:
        raise Invalid("cloud", f"is one of {', '.join(sorted(clouds))}")
    return replace(
        offered,
        text=text("text", offered.text, 100, least=1),
        cloud_name=identifier("cloud_name", offered.cloud_name),
        price_micros=whole("price_decimal", offered.price_micros, 0, MICROS * MICROS),
        vcpus=_measure("vcpus", offered.vcpus, 4096),
        memory_gb=_measure("memory_gb", offered.memory_gb, 1 << 20),
        gpu_count=whole("gpu_count", offered.gpu_count, 0, 1024),
        gpu_type=text("gpu_type", offered.gpu_type, 100),
        cu=whole("cu", offered.cu, 0, 10**6),
        allowed_groups=tuple(group_name("allowed_groups", name) for name in _few(offered.allowed_groups, 100)),
    )


def _never_last(option: tuple[str, int]) -> tuple[bool, int]:
    return option[1] == NEVER, option[1]


def _few(names: tuple[str, ...], most: int) -> tuple[str, ...]:
    if len(names) > most:
        raise Invalid("allowed_groups", f"has at most {most} groups")
    return tuple(dict.fromkeys(names))


def _bytes(config: str) -> int:
    try:
        return len(config.encode())
    except UnicodeEncodeError:
        raise Invalid("config", "is text without lone surrogates") from None


def _measure(field: str, value: float, most: int) -> float:
    if not math.isfinite(value) or not 0 < value <= most:
        raise Invalid(field, f"is more than 0 and at most {most}")
    return value


def _like(pattern: re.Pattern[str], field: str, value: str, most: int, rule: str) -> str:
    if not value or len(value) > most:
        raise Invalid(field, f"has 1 to {most} characters")
    if not pattern.fullmatch(value):
        raise Invalid(field, rule)
    return value
