r"""Patterns of administrators, matched against what users type, in time that grows with both and no faster.

Python's `re` tries alternatives one after the other, so that a careless pattern such as ``(a+)+`` and thirty characters
keep a server busy for minutes. Here all alternatives are followed at once (Thompson's construction): a pattern of n
steps and a text of m characters cost at most n × m. In exchange only the regular part of the notation is known:

    x  .  [a-z]  [^0-9]  \d \w \s (and capitals)  \. (any sign)  (…)  (?:…)  |  *  +  ?  {m}  {m,n}  {m,}

A pattern is always matched as a whole, as `re.fullmatch` does; a `^` in front and a `$` at the end say just that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

MAX_CHARACTERS = 200
MAX_STEPS = 1000

_TOKEN = re.compile(
    r"(?P<open>\((?:\?:)?(?!\?))|(?P<close>\))|(?P<bar>\|)"
    r"|(?P<repeat>[*+?]|\{(?:[0-9]{1,4}(?:,[0-9]{0,4})?|,[0-9]{1,4})\})"
    r"|(?P<one>\\[dDwWsS]|\\[^A-Za-z0-9\s]|\[\^?(?:\\[dDwWsS]|\\[^A-Za-z0-9\s]|[^\]\\\[])+\]|[^\\\[\](){}*+?|^$])",
    re.ASCII,
)
_SET_OPERATION = re.compile(r"--|&&|~~|\|\|")  # `re` reserves them within brackets


class PatternRefused(ValueError):
    """A pattern that cannot be used; the sentence says where and why."""


class Pattern:
    """A pattern, ready to be matched."""

    __slots__ = ("_start", "_steps", "text")

    def __init__(self, text: str) -> None:
        """Raises PatternRefused for what is too long, or not in the notation."""
        if len(text) > MAX_CHARACTERS:
            raise PatternRefused(f"a pattern has at most {MAX_CHARACTERS} characters")
        self.text = text
        self._steps = _Steps()
        self._start = self._steps.towards(_Parser(text).whole(), _END)

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def matches(self, value: str) -> bool:
        """Return whether `value`, as a whole, is what the pattern describes."""
        at = self._steps.reached([self._start])
        for character in value:
            at = self._steps.reached(then for test, then in self._steps.tests(at) if test(character))
            if not at:
                return False
        return _END in at


@dataclass(frozen=True, slots=True)
class _One:
    """Any one of some characters."""

    test: Callable[[str], object]


@dataclass(frozen=True, slots=True)
class _Row:
    """One after the other."""

    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Either:
    """Any of them."""

    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    """The same again: at least, and at most (None: as often as you like)."""

    part: _Node
    least: int
    most: int | None


_Node = _One | _Row | _Either | _Repeat


class _Parser:
    """Reads a pattern from left to right, one method per level of the notation."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 1 if text.startswith("^") else 0
        self._end = len(text) - 1 if _ends_in_anchor(text) else len(text)
        self._depth = 0

    def whole(self) -> _Node:
        node = self._either()
        if self._at < self._end:
            raise self._refusal("a group is closed that was not opened")
        return node

    def _either(self) -> _Node:
        parts = [self._row()]
        while self._take("bar"):
            parts.append(self._row())
        return parts[0] if len(parts) == 1 else _Either(tuple(parts))

    def _row(self) -> _Node:
        parts: list[_Node] = []
        while self._at < self._end and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._atom()))
        return _Row(tuple(parts))

    def _atom(self) -> _Node:
        if self._take("open"):
            return self._group()
        token = self._take("one")
        if not token:
            raise self._refusal("this is not in the notation of patterns, or repeats nothing")
        return _One(_tester(token) or self._not_a_set(token))

    def _group(self) -> _Node:
        self._depth += 1
        if self._depth > 20:
            raise self._refusal("groups lie within one another more than 20 deep")
        node = self._either()
        if not self._take("close"):
            raise self._refusal("a group is not closed")
        self._depth -= 1
        return node

    def _repeated(self, part: _Node) -> _Node:
        sign = self._take("repeat")
        if not sign:
            return part
        least, most = _bounds(sign)
        if most is not None and least > most:
            raise self._refusal(f"{sign} asks for at least {least} and at most {most}")
        return _Repeat(part, least, most)

    def _take(self, kind: str) -> str:
        """Return the token that comes next if it is of that kind, and go past it; otherwise nothing."""
        found = _TOKEN.match(self._text, self._at, self._end)
        if found is None or found.lastgroup != kind:
            return ""
        self._at = found.end()
        return found[0]

    def _not_a_set(self, token: str) -> Callable[[str], object]:
        raise self._refusal(f"{token} is not a set of characters")

    def _refusal(self, why: str) -> PatternRefused:
        return PatternRefused(f"{why} (at character {self._at + 1} of the pattern)")


def _ends_in_anchor(text: str) -> bool:
    before = text.removesuffix("$")
    escaped = (len(before) - len(before.rstrip("\\"))) % 2
    return before != text and not escaped


def _tester(token: str) -> Callable[[str], object] | None:
    """Return what tells whether one character is meant by a token; None where a set is not one."""
    if len(token) == 1 and token != ".":  # noqa: S105 -- of a pattern
        return token.__eq__
    if token.startswith("[") and _SET_OPERATION.search(token):
        return None
    try:
        return re.compile(token).fullmatch
    except re.error:  # [z-a], say
        return None


def _bounds(sign: str) -> tuple[int, int | None]:
    simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
    if sign in simple:
        return simple[sign]
    least, comma, most = sign[1:-1].partition(",")
    if not comma:
        return int(least or 0), int(least or 0)
    return int(least or 0), int(most) if most else None


_END = -1
_Test = tuple[Callable[[str], object], int]


class _Steps:
    """The machine a pattern becomes: each step tests a character and leads on, or only leads on, to several."""

    def __init__(self) -> None:
        self._steps: list[_Test | list[int]] = []

    def towards(self, node: _Node, then: int) -> int:
        """Add what matches `node` and leads to `then`; return where it begins."""
        if isinstance(node, _One):
            return self._add((node.test, then))
        if isinstance(node, _Either):
            return self._add([self.towards(part, then) for part in node.parts])
        if isinstance(node, _Repeat):
            return self._repeat(node, then)
        for part in reversed(node.parts):
            then = self.towards(part, then)
        return then

    def reached(self, begin: Iterable[int]) -> set[int]:
        """Return all steps that are reached from those without reading a character."""
        seen: set[int] = set()
        waiting = list(begin)
        while waiting:
            step = waiting.pop()
            if step not in seen:
                seen.add(step)
                leads = self._steps[step] if step != _END else ()
                waiting.extend(leads if isinstance(leads, list) else ())
        return seen

    def tests(self, at: set[int]) -> Iterable[_Test]:
        """Return the tests among some steps."""
        return (step for step in (self._steps[place] for place in at if place != _END) if isinstance(step, tuple))

    def _repeat(self, node: _Repeat, then: int) -> int:
        if node.most is None:
            loop: list[int] = [then]
            first = self._add(loop)
            loop.append(self.towards(node.part, first))
            then = first
        else:
            after = then
            for _ in range(node.most - node.least):
                then = self._add([after, self.towards(node.part, then)])
        for _ in range(node.least):
            before, then = len(self._steps), self.towards(node.part, then)
            if len(self._steps) == before:  # an empty group, however often
                break
        return then

    def _add(self, step: _Test | list[int]) -> int:
        if len(self._steps) >= MAX_STEPS:
            raise PatternRefused(f"a pattern has at most {MAX_STEPS} steps; a count in braces is too large")
        self._steps.append(step)
        return len(self._steps) - 1
