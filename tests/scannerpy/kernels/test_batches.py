"""How rows are cut into calls, and what nulls and gaps do to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerpy._kernels.host import KernelHost
from scannerpy._words.elements import NULL
from scannerpy.errors import KernelError
from scannerpy.kernel import Kernel
from scannerpy.types import FrameType
from tests.scannerpy.kernels.hosting import host_of, run, run_windows, vertex_of


class Logs(Kernel):
    """Returns its rows and writes down the calls."""

    def __init__(self, config):
        self.calls = []

    def reset(self):
        self.calls.append("reset")

    def execute(self, x: Sequence[bytes]) -> Sequence[bytes]:
        self.calls.append(b"".join(x).decode())
        return x


def letters(text: str) -> list[object]:
    """One element per letter; a dot is null."""
    return [NULL if letter == "." else letter.encode() for letter in text]


def calls(text: str, gaps: str = "", **options) -> list[str]:
    """The calls a batching kernel sees for these rows; `gaps` names the letters before which there is a gap."""
    host = host_of(Logs, **{"batch": 3} | options)
    elements = letters(text)
    assert run(host, elements, resets=[letter in gaps for letter in text]) == elements
    return host.kernel.calls[1:]


def test_batches_are_full_but_for_the_last():
    assert calls("abcdefgh") == ["abc", "def", "gh"]


def test_the_call_may_choose_another_size():
    assert calls("abcde", call_batch=2) == ["ab", "cd", "e"]
    assert calls("ab", call_batch=1) == ["a", "b"]


def test_a_giant_batch_takes_all_rows():
    assert calls("abcdefgh", batch=10_000_000) == ["abcdefgh"]


def test_a_gap_inside_a_stateless_batch_means_reset_before_the_call():
    assert calls("abcdef", gaps="ab") == ["abc", "def"]
    assert calls("abcdef", gaps="ae") == ["abc", "reset", "def"]


@pytest.mark.parametrize("state", [{"bounded_state": 2}, {"unbounded_state": True}])
def test_a_stateful_batch_ends_before_a_gap(state):
    assert calls("abcdef", gaps="ab", **state) == ["a", "reset", "bcd", "ef"]
    assert calls("abcdef", gaps="ae", **state) == ["abc", "d", "reset", "ef"]


def test_nulls_are_left_out_of_a_stateless_batch():
    assert calls("a.bc..d") == ["ab", "reset", "c", "reset", "d"]


def test_nulls_end_a_stateful_batch():
    assert calls("a.bcde", bounded_state=1) == [
        "a",
        "reset",
        "b",
        "cde",
    ]  # full batches count from the last planned gap
    assert calls("ab.", bounded_state=1) == ["ab"]


@pytest.mark.parametrize("size", [3, 6, 9])
def test_what_is_called_together_does_not_depend_on_how_many_rows_come_at_once(size):
    host = host_of(Logs, batch=3, bounded_state=1)
    text = "a.cdefghi"
    for start in range(0, len(text), size):
        run(host, letters(text[start : start + size]), resets=[False] * size)
    assert [call for call in host.kernel.calls if call != "reset"] == ["a", "c", "def", "ghi"]


def test_only_nulls_is_no_call():
    assert calls("...") == []


def test_no_rows_is_no_call():
    host = host_of(Logs, batch=3)
    assert run(host, []) == []
    assert host.kernel.calls == ["reset"]


@given(
    st.text("abc.", max_size=30).map(lambda text: "".join(c if c == "." else chr(97 + i) for i, c in enumerate(text))),
    st.integers(1, 5),
    st.integers(1, 40),
    st.booleans(),
)
def test_every_row_is_executed_once_in_order_however_rows_are_cut(text, batch, size, stateful):
    host = KernelHost(
        vertex_of(Logs, name=f"Logs{stateful}", batch=8, call_batch=batch, bounded_state=2 if stateful else None)
    )
    host.begin_task()
    elements = letters(text)
    outputs = []
    for start in range(0, len(text), size):
        outputs += run(host, elements[start : start + size], first=start)
    assert outputs == elements
    seen = "".join(call for call in host.kernel.calls if call != "reset")
    assert seen == text.replace(".", "")
    assert all(len(call) <= batch for call in host.kernel.calls if call != "reset")


# Rows one by one


class Counts(Kernel):
    """Counts rows since the last reset."""

    def reset(self):
        self.n = 0

    def execute(self, x: bytes) -> bytes:
        self.n += 1
        return str(self.n).encode()


def test_a_null_row_gives_null_and_state_does_not_reach_across_it():
    assert run(host_of(Counts, unbounded_state=True), letters("ab.cd..e")) == letters("12.12..1")


def test_state_does_not_reach_across_a_null_at_the_end_of_a_step():
    host = host_of(Counts, bounded_state=9)
    assert run(host, letters("ab.")) == letters("12.")
    assert run(host, letters("cd")) == letters("12")


def test_a_null_in_any_input_gives_null_in_all_outputs():
    def f(config, a: bytes, b: bytes) -> tuple[bytes, bytes]:
        return a, b

    assert run(host_of(f), letters("a.c."), letters("xy..")) == [letters("a..."), letters("x...")]


def test_a_null_anywhere_in_a_window_gives_null():
    def f(config, x: Sequence[bytes]) -> bytes:
        return b"".join(x)

    def g(config, x: Sequence[Sequence[bytes]]) -> Sequence[bytes]:
        return [b"".join(window) for window in x]

    windows = [letters("ab"), letters("b."), letters(".d"), letters("de")]
    for host in (host_of(f, stencil=[0, 1]), host_of(g, stencil=[0, 1], batch=9)):
        assert run_windows(host, windows) == [b"ab", NULL, NULL, b"de"]


def test_nulls_among_frames():
    def f(config, frame: FrameType) -> FrameType:
        return frame * 2

    ones = np.ones((1, 1, 3), np.uint8)
    results = run(host_of(f), [NULL, ones, NULL])
    assert results[0] is results[2] is NULL
    assert results[1].max() == 2


def test_stencils_and_batches_together():
    def f(config, x: Sequence[Sequence[bytes]], y: Sequence[Sequence[bytes]]) -> Sequence[bytes]:
        return [b"".join((*a, *b)) for a, b in zip(x, y, strict=True)]

    host = host_of(f, stencil=[0, 1], batch=2)
    x = [letters("ab"), letters("bc"), letters("cc")]
    y = [letters("12"), letters("23"), letters("33")]
    assert run_windows(host, x, y) == [b"ab12", b"bc23", b"cc33"]


# What is wrong


@pytest.mark.parametrize("count", [0, 1, 4])
def test_the_wrong_number_of_results_is_told(count):
    def f(config, x: Sequence[bytes]) -> Sequence[bytes]:
        return [b""] * count

    with pytest.raises(KernelError, match=rf"at rows 5–7 returned {count} values for output 'ret0' of a batch of 3"):
        run(host_of(f, batch=3), letters("abc"), first=5)


@pytest.mark.parametrize("value", [b"abc", "abc", {1: 2}, None, 3])
def test_a_batch_is_a_sequence(value):
    def f(config, x: Sequence[bytes]) -> Sequence[bytes]:
        return value

    with pytest.raises(KernelError, match=r"for output 'ret0' of a batch of 3, .*a sequence of 3 values is expected"):
        run(host_of(f, batch=3), letters("abc"))


def test_any_iterable_of_the_right_length_will_do():
    def f(config, x: Sequence[bytes]) -> Sequence[bytes]:
        return (each for each in x)

    assert run(host_of(f, batch=3), letters("abcd")) == letters("abcd")


def test_batches_of_several_outputs_come_by_column():
    def f(config, x: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes]]:
        return [each.upper() for each in x], x

    def g(config, x: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes]]:
        return [(each, each) for each in x]

    assert run(host_of(f, batch=2), letters("abc")) == [letters("ABC"), letters("abc")]
    with pytest.raises(KernelError, match=r"at rows 0–2 returned 3 values: it has 2 outputs"):
        run(host_of(g, batch=3), letters("abc"))


def test_one_wrong_value_of_a_batch_is_told():
    def f(config, x: Sequence[bytes]) -> Sequence[bytes]:
        return [b"", None]

    with pytest.raises(KernelError, match=r"at rows 4–5 returned, for bytes output 'ret0', None"):
        run(host_of(f, batch=2), letters("ab"), first=4)
