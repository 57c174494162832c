"""A status: a number for programs and a text for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class BaseStatus:
    """A status as the backend numbers it. Compares and hashes by kind and code; read-only."""

    __slots__ = ("_code", "_text")

    def __init__(self, code: int, text: str) -> None:
        """`code` is the backend's number, `text` what people read."""
        self._code = code
        self._text = text

    @property
    def code(self) -> int:
        """Code of this status."""
        return self._code

    @property
    def text(self) -> str:
        """Human readable text of this status."""
        return self._text

    @classmethod
    def text_of(cls, code: int, known: Iterable[Self]) -> str:
        """Return the text of `code` among `known`; a number this client does not know is named as such."""
        return next((status.text for status in known if status.code == code), f"Unknown ({code})")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, BaseStatus) and other.code == self.code

    def __hash__(self) -> int:
        return hash((type(self), self.code))

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({self.code}, {self.text!r})"
