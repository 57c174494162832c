"""Tags: labels that administrators define, and creators of systems fill in.

Values end up on every cloud resource of a system. What an administrator has fixed for the installation wins over what
the user typed, and that over the tag's default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from puddle.server.domain.catalog import Tag, TagStatus
from puddle.server.domain.patterns import Pattern, PatternRefused
from puddle.server.domain.records import Tags
from puddle.server.domain.validation import text
from puddle.server.errors import Invalid

INPUT_TYPES = ("text", "number")
MAX_TAGS = 40  # clouds take fifty on a resource, and some are ours
MAX_LABEL, MAX_VALUE, MAX_OPTIONS = 100, 256, 100
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/=+@-]*", re.ASCII)
_RESERVED = ("puddle", "aws:")  # by the first we find what is ours; the second clouds refuse
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)


def definition(tag: Tag) -> Tag:
    """Check a tag as an administrator defines it: label, type, pattern, options, and that its default fits them."""
    if tag.input_type not in INPUT_TYPES:
        raise Invalid("input_type", f"is one of {', '.join(INPUT_TYPES)}")
    if len(tag.options) > MAX_OPTIONS:
        raise Invalid("options", f"has at most {MAX_OPTIONS} options")
    if tag.pattern:
        _pattern(tag.pattern)
    options = tuple(dict.fromkeys(text("options", option, MAX_VALUE, least=1) for option in tag.options))
    cleaned = replace(tag, label=_label(tag.label), options=options)
    for option in options:
        _fits(replace(cleaned, options=()), option, "options")
    return replace(cleaned, default_value=_checked(cleaned, tag.default_value, "default_value"))


def answers(given: Sequence[tuple[str, str]], defined: Iterable[Tag], fixed: Tags = ()) -> Tags:
    """Return the tags of a new system: label and value, sorted by label.

    `given` is what its creator filled in; an empty value is none. Raises Invalid for a label nobody defined, one that
    is given twice, a value that does not fit, and a required tag nobody has a value for.
    """
    asked = {tag.label: tag for tag in defined if tag.status is TagStatus.OK}
    typed = _typed(given, asked)
    defaults = {label: tag.default_value for label, tag in asked.items() if tag.default_value}
    settled = {**defaults, **typed, **dict(fixed)}
    for label, tag in asked.items():
        if tag.required and not settled.get(label):
            raise Invalid(f"tags.{label}", "is required")
    if len(settled) > MAX_TAGS:
        raise Invalid("tags", f"are at most {MAX_TAGS}")
    return tuple(sorted(settled.items()))


def _typed(given: Sequence[tuple[str, str]], asked: Mapping[str, Tag]) -> dict[str, str]:
    """Return what the user typed, checked; nothing where nothing was typed."""
    if len(given) > MAX_TAGS:
        raise Invalid("tags", f"are at most {MAX_TAGS}")
    typed: dict[str, str] = {}
    for label, value in given:
        if label not in asked:
            raise Invalid("tags", f"have labels out of: {', '.join(sorted(asked)) or 'none, as no tag is defined'}")
        if label in typed:
            raise Invalid(f"tags.{label}", "is given once")
        typed[label] = _checked(asked[label], value, f"tags.{label}")
    return {label: value for label, value in typed.items() if value}


def _checked(tag: Tag, value: str, field: str) -> str:
    cleaned = text(field, value, MAX_VALUE)
    if cleaned:
        _fits(tag, cleaned, field)
    return cleaned


def _fits(tag: Tag, value: str, field: str) -> None:
    if tag.input_type == "number" and not _NUMBER.fullmatch(value):
        raise Invalid(field, "is a number such as 12 or -0.5")
    if tag.options and value not in tag.options:
        raise Invalid(field, f"is one of {', '.join(tag.options)}")
    if tag.pattern and not _pattern(tag.pattern).matches(value):
        raise Invalid(field, f"is as the pattern {tag.pattern} describes")


def _pattern(pattern: str) -> Pattern:
    try:
        return Pattern(pattern)
    except PatternRefused as refused:
        raise Invalid("pattern", "can be used", f"pattern cannot be used: {refused}") from None


def _label(label: str) -> str:
    if not 0 < len(label) <= MAX_LABEL or not _LABEL.fullmatch(label):
        rule = f"begins with a letter or digit and has only those, blanks and . _ : / = + @ -, {MAX_LABEL} at most"
        raise Invalid("label", rule)
    if label.lower().startswith(_RESERVED):
        raise Invalid("label", f"does not begin with {' or '.join(_RESERVED)}, which are taken")
    return label.rstrip()
