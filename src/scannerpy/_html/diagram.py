"""A graph of ops as a small drawing: one box a vertex, from sources at the top to what is stored at the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scannerpy._html.layout import Layout, lay_out
from scannerpy._html.markup import Html, element

KINDS = {
    "source": "#3a9db8",
    "sample": "#c98a1b",
    "slice": "#c98a1b",
    "unslice": "#c98a1b",
    "op": "#3fa45b",
    "sink": "#8a6fd1",
}
"""The colour at a box's left edge; half way between light and dark, to be seen on either."""
TALL, BETWEEN, MARGIN = 38, 24, 2
LETTER = 6.6
MOST_LETTERS = 30


@dataclass(frozen=True, slots=True)
class Box:
    """One vertex. `note` stands below its name; `inside` says that it works within slices."""

    name: str
    note: str
    kind: str
    inputs: tuple[int, ...]
    inside: bool = False
    where: str = ""


def diagram(boxes: Sequence[Box]) -> Html:
    """Return the drawing of boxes, whose inputs are boxes before them."""
    place = lay_out([_width(box) for box in boxes], [box.inputs for box in boxes])
    lines = [
        _line(place, boxes, above, below) for below, box in enumerate(boxes) for above in dict.fromkeys(box.inputs)
    ]
    drawn = [_box(place, number, box) for number, box in enumerate(boxes)]
    width, height = place.width + 2 * MARGIN, max(1, place.layers * (TALL + BETWEEN) - BETWEEN + 2 * MARGIN)
    words = f"graph of {len(boxes)} steps: " + ", then ".join(box.name for box in boxes)
    svg = element(
        "svg", element("title", words), *lines, *drawn, role="img", aria_label=words, width=f"{width:.0f}",
        height=height, viewBox=f"0 0 {width:.0f} {height}", style="color:inherit;display:block",
    )  # fmt: skip
    return element("div", svg, class_="wide")


def _width(box: Box) -> float:
    letters = max(len(_cut(box.name)) * 1.3, len(_cut(box.note)) * 0.92)
    return max(110.0, letters * LETTER + 24)


def _cut(words: str) -> str:
    return words if len(words) <= MOST_LETTERS else f"{words[: MOST_LETTERS - 1]}…"


def _top(layer: int) -> float:
    return MARGIN + layer * (TALL + BETWEEN)


def _line(place: Layout, boxes: Sequence[Box], above: int, below: int) -> Html:
    """Return the edge from one box to another, through the places kept free for it in the layers between."""
    distinct = list(dict.fromkeys(boxes[below].inputs))
    port = (distinct.index(above) - (len(distinct) - 1) / 2) * 14
    points = [(place.centre[above], _top(place.layer[above]) + TALL)]
    for x, layer in place.bends[above, below]:
        points += [(x, _top(layer)), (x, _top(layer) + TALL)]
    points.append((place.centre[below] + port, _top(place.layer[below])))
    x, y = points[0]
    path = [f"M{x + MARGIN:.1f} {y:.1f}"]
    for x, y in points[1:]:
        from_x, from_y = points[len(path) - 1]
        half = (from_y + y) / 2
        path.append(f"C{from_x + MARGIN:.1f} {half:.1f} {x + MARGIN:.1f} {half:.1f} {x + MARGIN:.1f} {y:.1f}")
    return element("path", d="".join(path), fill="none", stroke="currentColor", stroke_opacity=".45")


def _box(place: Layout, number: int, box: Box) -> Html:
    width = _width(box)
    left, top = place.centre[number] - width / 2 + MARGIN, _top(place.layer[number])
    outline = {"stroke_dasharray": "4 3"} if box.inside else {}
    frame = element(
        "rect", x=f"{left:.1f}", y=top, width=f"{width:.1f}", height=TALL, rx=4, fill="rgba(128,128,128,.1)",
        stroke="currentColor", stroke_opacity=".35", **outline,
    )  # fmt: skip
    stripe = element("rect", x=f"{left:.1f}", y=top, width=4, height=TALL, rx=2, fill=KINDS.get(box.kind, "#888"))
    name = _text(box.name, left + 13, top + (16 if box.note else 23), 12, "600", "1")
    note = _text(box.note, left + 13, top + 30, 10.5, "400", ".75")
    hint = " · ".join(part for part in (box.name, box.note, box.where) if part)
    return element("g", element("title", hint), frame, stripe, name, note)


def _text(words: str, x: float, y: float, size: float, weight: str, opacity: str) -> Html:
    style = f"font:{weight} {size}px system-ui,sans-serif"
    return element(
        "text", _cut(words), x=f"{x:.1f}", y=f"{y:.1f}", fill="currentColor", fill_opacity=opacity, style=style
    )
