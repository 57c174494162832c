"""HTML that cannot be broken out of: whatever is not `Html` already is escaped when it is put into an element.

No scripts, nothing from elsewhere, no ids. Colours are those of the page around, so that light and dark themes both
work; what is drawn in greys is half transparent for the same reason. Notebooks style the tables of their outputs
themselves, hence ``!important``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

_VOID = frozenset({"img", "br"})
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_STYLE = """
.scanner{font:13px/1.5 system-ui,sans-serif;color:inherit;max-width:70em}
.scanner p{margin:4px 0}
.scanner h4{font-size:14px;margin:2px 0 4px;font-weight:600}
.scanner .muted{opacity:.7}
.scanner code,.scanner pre{font:12px/1.45 ui-monospace,monospace;background:none;color:inherit;padding:0;border:0}
.scanner pre{overflow-x:auto;margin:4px 0}
.scanner .wide{overflow-x:auto}
.scanner table{border-collapse:collapse;border:0;margin:6px 0;font-size:13px;color:inherit;width:auto}
.scanner th,.scanner td{padding:3px 14px 3px 0;text-align:left!important;vertical-align:middle;border:0;
border-bottom:1px solid rgba(128,128,128,.25);background:none;white-space:normal}
.scanner tr{background:none!important}
.scanner th{font-weight:600;opacity:.75}
.scanner td.number,.scanner th.number{text-align:right!important;font-variant-numeric:tabular-nums}
.scanner .beside{display:flex;flex-wrap:wrap;gap:0 40px;align-items:flex-start}
.scanner .sheet{display:flex;flex-wrap:wrap;gap:10px;margin:6px 0;max-width:736px}
.scanner .wide>svg{display:block;margin:8px 0 14px}
.scanner figure{margin:0;padding:0}
.scanner figcaption{font-size:11px;text-align:left;margin:1px 0 0;font-style:normal;font-variant-numeric:tabular-nums}
.scanner img{display:block;margin:0;border-radius:3px;max-width:none;background:rgba(128,128,128,.15)}
.scanner .gone{display:flex;align-items:center;justify-content:center;border-radius:3px;
border:1px dashed rgba(128,128,128,.6);box-sizing:border-box}
.scanner .bar{height:8px;border-radius:4px;background:rgba(128,128,128,.25);overflow:hidden;margin:6px 0;max-width:40em;
display:flex}
.scanner .bar div{height:100%}
.scanner summary{cursor:pointer}
""".replace("\n", "")


class Html(str):
    """Markup, to be put into a page as it is."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)


def text(value: object) -> Html:
    """Return what a page may hold of any text: escaped, and without what no page can hold."""
    if isinstance(value, Html):
        return value
    clean = str(value).encode("utf-8", "replace").decode("utf-8")
    return Html(escape(_UNSEEN.sub("\N{REPLACEMENT CHARACTER}", clean)))


def element(name: str, *children: object, **attributes: object) -> Html:
    """Return ``<name …>children</name>``; a trailing underscore of an attribute is dropped, others become hyphens."""
    named = "".join(f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items())
    inside = joined(children)
    return Html(f"<{name}{named}>" if name in _VOID else f"<{name}{named}>{inside}</{name}>")


def joined(parts: Iterable[object]) -> Html:
    """Return parts one after the other."""
    return Html("".join(text(part) for part in parts))


def page(*parts: object) -> Html:
    """Return one output of a notebook."""
    return element("div", element("style", Html(_STYLE)), *parts, class_="scanner")


def title(name: object, facts: Iterable[str] = ()) -> Html:
    """Return a heading: a name, then what is known of it."""
    known = element("span", *(f" · {fact}" for fact in facts), class_="muted", style="font-weight:400")
    return element("h4", name, known)


def sentence(words: object) -> Html:
    """Return a sentence that stands where there is nothing to show."""
    return element("p", words, class_="muted")


def table(head: Sequence[object], lines: Iterable[Sequence[object]], numbers: Iterable[int] = ()) -> Html:
    """Return a table; `numbers` are the columns to be set right-aligned."""
    right = frozenset(numbers)
    made = [element("tr", *(_cell("td", k, cell, right) for k, cell in enumerate(line))) for line in lines]
    heading = element("tr", *(_cell("th", k, cell, right) for k, cell in enumerate(head)))
    return element("div", element("table", element("thead", heading), element("tbody", *made)), class_="wide")


def _cell(name: str, column: int, content: object, right: frozenset[int]) -> Html:
    return element(name, content, class_="number") if column in right else element(name, content)


def size(count: float) -> str:
    """Return bytes for people: ``1.4 MiB``."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def count(number: int, what: str) -> str:
    """Return ``3 rows`` or ``1 row``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
