"""Where the boxes of a small graph stand: in layers from top to bottom, with few crossings. Pure geometry.

A vertex stands one layer below its lowest input, a source just above what takes it first. Edges that pass a layer get a
place in it (a *bend*), so that they run between boxes rather than behind them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

BEND = 16.0
"""The width kept free for an edge that passes a layer."""
GAP = 22.0
SWEEPS = 4

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Centres of boxes, and the points each edge passes between its ends. x in pixels, y in layers."""

    width: float
    layers: int
    centre: Mapping[int, float]
    layer: Mapping[int, int]
    bends: Mapping[Edge, Sequence[tuple[float, int]]]


def lay_out(widths: Sequence[float], inputs: Sequence[Sequence[int]]) -> Layout:
    """Lay out vertices 0, 1, … with `widths`; ``inputs[v]`` are the vertices v takes from, all smaller than v."""
    depth = _depths(inputs)
    net = _Net(list(widths), depth, inputs)
    order = _ordered(net)
    centre = _placed(net, order)
    left = min((centre[v] - net.widths[v] / 2 for v in centre), default=0.0)
    right = max((centre[v] + net.widths[v] / 2 for v in centre), default=0.0)
    moved = {v: x - left for v, x in centre.items()}
    bends = {edge: [(moved[b], net.depth[b]) for b in passed] for edge, passed in net.bends.items()}
    boxes = range(len(widths))
    return Layout(right - left, len(order), {v: moved[v] for v in boxes}, {v: depth[v] for v in boxes}, bends)


def _depths(inputs: Sequence[Sequence[int]]) -> list[int]:
    depth: list[int] = []
    for above in inputs:
        depth.append(max((depth[a] + 1 for a in above), default=0))
    lowest: dict[int, int] = {}
    for v, above in enumerate(inputs):
        for a in above:
            lowest[a] = min(lowest.get(a, depth[v] - 1), depth[v] - 1)
    return [lowest.get(v, depth[v]) if not above else depth[v] for v, above in enumerate(inputs)]


class _Net:
    """The graph with bends as vertices of their own, so that every link goes from one layer to the next."""

    def __init__(self, widths: list[float], depth: list[int], inputs: Sequence[Sequence[int]]) -> None:
        self.widths = widths
        self.depth = list(depth)
        self.bends: dict[Edge, list[int]] = {}
        self.up: dict[int, list[int]] = {v: [] for v in range(len(widths))}
        self.down: dict[int, list[int]] = {v: [] for v in range(len(widths))}
        for v, above in enumerate(inputs):
            for a in dict.fromkeys(above):
                self._connect(a, v)

    def _connect(self, above: int, below: int) -> None:
        passed = self.bends[above, below] = []
        last = above
        for layer in range(self.depth[above] + 1, self.depth[below]):
            bend = len(self.widths)
            self.widths.append(BEND)
            self.depth.append(layer)
            self.up[bend], self.down[bend] = [], []
            self._link(last, bend)
            passed.append(bend)
            last = bend
        self._link(last, below)

    def _link(self, above: int, below: int) -> None:
        self.down[above].append(below)
        self.up[below].append(above)


def _ordered(net: _Net) -> list[list[int]]:
    """Return the vertices of each layer from left to right: sorted by where their neighbours stand, up and down."""
    layers: list[list[int]] = [[] for _ in range(max(net.depth, default=-1) + 1)]
    for v, depth in enumerate(net.depth):
        layers[depth].append(v)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        neighbours = net.up if downwards else net.down
        place = {v: k for layer in layers for k, v in enumerate(layer)}
        for layer in layers if downwards else reversed(layers):
            wanted = {v: _mean([place[n] for n in neighbours[v]], place[v]) for v in layer}
            layer.sort(key=wanted.__getitem__)
            place.update({v: k for k, v in enumerate(layer)})
    return layers


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _placed(net: _Net, layers: Sequence[Sequence[int]]) -> dict[int, float]:
    """Return the centre of each vertex: below its inputs where there is room, pushed aside where there is not."""
    centre: dict[int, float] = {}
    for layer in layers:
        _place(net, layer, net.up, centre)
    for layer in reversed(layers):
        _place(net, layer, net.down, centre)
    return centre


def _place(net: _Net, layer: Sequence[int], neighbours: Mapping[int, list[int]], centre: dict[int, float]) -> None:
    wanted = [_mean([centre[n] for n in neighbours[v] if n in centre], centre.get(v, 0.0)) for v in layer]
    given: list[float] = []
    edge = float("-inf")
    for v, x in zip(layer, wanted, strict=True):
        given.append(max(x, edge + net.widths[v] / 2))
        edge = given[-1] + net.widths[v] / 2 + GAP
    shift = _mean([x - got for x, got in zip(wanted, given, strict=True)], 0.0)
    centre.update({v: x + shift for v, x in zip(layer, given, strict=True)})
