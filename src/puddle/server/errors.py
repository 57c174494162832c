"""Why the server refuses a call, in words for people and for programs.

    Refused
    ├── Invalid          an argument is not as it must be: `field`, `rule`
    ├── Precondition     the object does not stand right for it: `reason`, what could be done instead
    ├── Exceeded         a limit, a budget or the pool of compute units would be exceeded
    ├── Unauthenticated  who is calling is not known
    ├── Denied           it is known, and may not do that
    ├── Missing          there is no such object, or it is somebody else's
    └── TooMany          too many calls: `retry_after` seconds

`code` is the Connect protocol's word, `reason` ours, and stable. A transport maps them in one place; whatever is not a
`Refused` is a mistake of ours.
"""

from __future__ import annotations

from collections.abc import Sequence


class Refused(Exception):
    """What all refusals have in common. `meta` travels beside the sentence."""

    code = "unknown"

    def __init__(self, sentence: str, reason: str, **meta: str | int | Sequence[str]) -> None:
        """`reason`: one of the words programs may rely on."""
        super().__init__(sentence)
        self.sentence = sentence
        self.reason = reason
        self.meta: dict[str, str | int | Sequence[str]] = {"reason": reason, **meta}


class Invalid(Refused):
    """An argument is not as it must be."""

    code = "invalid_argument"

    def __init__(self, field: str, rule: str, sentence: str = "") -> None:
        """`rule` says what would be right: "has at most 63 characters"."""
        super().__init__(sentence or f"{field} {rule}", "invalid", field=field, rule=rule)


class Precondition(Refused):
    """The object does not stand right for what is asked."""

    code = "failed_precondition"


class Exceeded(Precondition):
    """A limit would be exceeded; the sentence says what is left. `reason`: quota, budget or out_of_cu."""


class Unauthenticated(Refused):
    """Nobody we know is calling."""

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
