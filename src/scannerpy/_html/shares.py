"""Where a run's time went: one bar a stage."""

from __future__ import annotations

from collections.abc import Iterable

from scannerpy._html.markup import Html, element, page, table, title

BUSY = "#4a86d8"


def shares(head: str, line: str, stages: Iterable[tuple[str, float, str]]) -> Html:
    """Return a page: a line that says it all, then per (stage, share of the time, what it was at) a bar."""
    lines = [(stage, _bar(stage, share), f"{share:.0%}", detail) for stage, share, detail in stages]
    return page(title(head), element("p", line), table(("stage", "", "busy", "with"), lines, numbers=(2,)))


def _bar(stage: str, share: float) -> Html:
    part = element("div", style=f"width:{min(1.0, share):.1%};background:{BUSY}")
    label = f"{stage}: busy {share:.0%} of the time"
    return element("div", part, class_="bar", style="width:180px", role="img", aria_label=label, title=label)
