"""A run as it stands: a bar, the numbers, what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scannerpy._html.markup import Html, count, element, joined, page, table, title

DONE, FAILED, RUNNING = "#3fa45b", "#d9534f", "#4a86d8"
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Lost:
    """A stream that was given up."""

    stream: str
    where: str
    reason: str
    traceback: str


@dataclass(frozen=True, slots=True)
class RunView:
    """What there is to show of a run. `words` are further facts for the line below the bar."""

    state: str
    rows: int
    total: int
    given_up: int
    words: Sequence[str]
    lost: Sequence[Lost]
    message: str = ""


def run(it: RunView) -> Html:
    """Return a run's page."""
    parts = [title(f"Run {it.state}"), _bar(it), element("p", " · ".join([_rows(it), *it.words]), class_="muted")]
    if it.message:
        parts.append(element("p", it.message))
    return page(*parts, failures(it.lost))


def failures(lost: Sequence[Lost]) -> Html:
    """Return a table of what failed, each different traceback once below it."""
    if not lost:
        return joined(())
    lines = [(each.stream, each.where, each.reason) for each in lost[:SHOWN]]
    more = [element("p", f"… and {count(len(lost) - SHOWN, 'more stream')}")] if len(lost) > SHOWN else []
    seen = {each.traceback.rstrip(): each.stream for each in reversed(lost) if each.traceback}
    unfolded = [
        element("details", element("summary", f"traceback of {stream}"), element("pre", traceback))
        for traceback, stream in reversed(seen.items())
    ]
    head = element("p", f"{count(len(lost), 'stream')} failed and {'stays' if len(lost) == 1 else 'stay'} uncommitted:")
    return joined([head, table(("stream", "where", "reason"), lines), *more, *unfolded])


def _rows(it: RunView) -> str:
    return f"{it.rows:,} of {count(it.total, 'row')}"


def _bar(it: RunView) -> Html:
    done, lost = _percent(it.rows, it.total), _percent(it.given_up, it.total)
    colour = RUNNING if it.state == "goes on" else DONE
    parts = [element("div", style=f"width:{done:.1f}%;background:{colour}")]
    if it.given_up:
        parts.append(element("div", style=f"width:{lost:.1f}%;background:{FAILED}"))
    words = f"{_rows(it)} done" + (f", {it.given_up:,} given up" if it.given_up else "")
    return element(
        "div", *parts, class_="bar", role="progressbar", aria_valuemin=0, aria_valuemax=100,
        aria_valuenow=round(done), aria_label=words, title=words,
    )  # fmt: skip


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0
