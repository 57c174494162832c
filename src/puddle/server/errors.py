"""The errors a caller is told, for people (a sentence) and for programs (`code`, `reason`).

    Refused
    ├── Invalid          an argument is invalid: `field`, `rule`
    ├── Precondition     the object's state does not allow it: `reason`, what could be done instead
    │   └── Exceeded     a limit, a budget or the pool of compute units would be exceeded
    ├── Unauthenticated  the caller's identity is not known
    ├── Denied           the caller is known, and may not do that
    ├── Missing          there is no such object, or it is somebody else's
    └── TooMany          too many calls: `retry_after` seconds

`code` is the Connect protocol's, `reason` is Puddle's own, and stable. The transport maps them in one place. Any other
exception is a bug in the server.
"""

from __future__ import annotations

from collections.abc import Sequence


class Refused(Exception):
    """The base of all refusals. `meta` is sent with the sentence."""

    code = "unknown"

    def __init__(self, sentence: str, reason: str, **meta: str | int | Sequence[str]) -> None:
        """`reason`: a stable word that programs may rely on."""
        super().__init__(sentence)
        self.sentence = sentence
        self.reason = reason
        self.meta: dict[str, str | int | Sequence[str]] = {"reason": reason, **meta}


class Invalid(Refused):
    """An argument is invalid."""

    code = "invalid_argument"

    def __init__(self, field: str, rule: str, sentence: str = "") -> None:
        """`rule` says what is valid: "has at most 63 characters"."""
        super().__init__(sentence or f"{field} {rule}", "invalid", field=field, rule=rule)


class Precondition(Refused):
    """The object's state does not allow what was asked."""

    code = "failed_precondition"


class Exceeded(Precondition):
    """A limit would be exceeded; the sentence says what is left. `reason`: quota, budget or out_of_cu."""


class Unauthenticated(Refused):
    """The caller is not authenticated."""

    code = "unauthenticated"


class Denied(Refused):
    """The caller may not do that."""

    code = "permission_denied"

    def __init__(self, sentence: str = "only an administrator may do that", reason: str = "not_allowed") -> None:
        """See the class."""
        super().__init__(sentence, reason)


class Missing(Refused):
    """There is no such object for this caller."""

    code = "not_found"

    def __init__(self, kind: str, which: str) -> None:
        """`kind`: "system", "image"…"""
        super().__init__(f"there is no {kind} {which!r} that you may see", "not_found", kind=kind)


class TooMany(Refused):
    """Too many calls."""

    code = "resource_exhausted"

    def __init__(self, sentence: str, retry_after: int) -> None:
        """`retry_after`: seconds."""
        super().__init__(sentence, "rate", retry_after=retry_after)
