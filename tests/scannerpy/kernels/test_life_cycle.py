"""The order in which a kernel's methods are called, and with what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from scannerpy._graph.graph import Edge
from scannerpy._graph.node import Compression
from scannerpy._kernels.host import KernelHost
from scannerpy._ops import lowlevel
from scannerpy.common import ColumnType, DeviceType
from scannerpy.errors import KernelError
from scannerpy.kernel import Kernel, KernelConfig, python_kernel_fn
from scannerpy.types import FrameType
from tests.scannerpy.kernels.hosting import host_of, place, run, vertex_of


class Diary(Kernel):
    """Writes down what is called."""

    def __init__(self, config, page=1):
        super().__init__(config)
        self.lines = [f"init {page}"]

    def fetch_resources(self):
        self.lines.append("fetch")

    def setup_with_resources(self):
        self.lines.append("setup")

    def reset(self):
        self.lines.append("reset")

    def new_stream(self, colour="grey"):
        self.lines.append(f"stream {colour}")

    def execute(self, x: bytes) -> bytes:
        self.lines.append(x.decode())
        return x

    def close(self):
        self.lines.append("close")


def diary(**options) -> tuple[KernelHost, list[str]]:
    host = KernelHost(vertex_of(Diary, **options))
    return host, host.kernel.lines


def test_a_whole_life():
    host, lines = diary(args={"page": 7})
    host.fetch_resources()
    host.setup_with_resources()
    host.begin_task({"colour": "red"})
    run(host, [b"a", b"b"], resets=[True, False])
    host.begin_task({"colour": "blue"})
    run(host, [b"c"], resets=[True])
    host.close()
    assert lines == [
        "init 7", "fetch", "setup", "reset", "stream red", "a", "b", "reset", "stream blue", "c", "close"
    ]  # fmt: skip


def test_the_first_row_does_not_undo_new_stream():
    host, lines = diary()
    host.begin_task()
    run(host, [b"a"], resets=[True])
    assert lines[1:] == ["reset", "stream grey", "a"]


def test_reset_comes_at_every_gap():
    host, lines = diary()
    host.begin_task()
    run(host, [b"a", b"b", b"c", b"d"], resets=[True, False, True, False])
    assert lines[3:] == ["a", "b", "reset", "c", "d"]


def test_gaps_between_two_runs_of_a_task():
    host, lines = diary()
    host.begin_task()
    run(host, [b"a"], resets=[True])
    run(host, [b"b"], resets=[False])
    run(host, [b"c"], resets=[True])
    assert lines[3:] == ["a", "b", "reset", "c"]


def test_marks_may_be_an_array():
    host, lines = diary()
    host.begin_task()
    host.run([[[b"a"], [b"b"]]], np.array([True, True]), np.array([3, 9]))
    assert lines[3:] == ["a", "reset", "b"]


def test_closing_twice_closes_once():
    host, lines = diary()
    host.close()
    host.close()
    assert lines == ["init 1", "close"]


def test_a_class_of_its_own_needs_no_method_but_execute():
    class Bare:
        def __init__(self, config):
            pass

        def execute(self, x: bytes) -> bytes:
            return x + x

    host = host_of(Bare)
    host.fetch_resources()
    host.setup_with_resources()
    assert run(host, [b"a", b"b"], resets=[True, True]) == [b"aa", b"bb"]
    host.close()


def test_a_function_gets_its_arguments_in_config():
    def f(config, x: bytes) -> bytes:
        return x * config.args["times"]

    assert run(host_of(f, args={"times": 3}), [b"a"]) == [b"aaa"]


def test_config_tells_the_place():
    seen: list[KernelConfig] = []

    def f(config, frame: FrameType, x: bytes) -> tuple[FrameType, bytes]:
        seen.append(config)
        return frame, x

    vertex = vertex_of(f, args={"a": 1})
    host = KernelHost(vertex, node_id=4)
    host.begin_task()
    run(host, [np.zeros((1, 1, 3), np.uint8)], [b""])
    config = seen[0]
    assert (config.input_columns, config.output_columns) == (["frame", "x"], ["ret0", "ret1"])
    assert config.input_column_types == [ColumnType.Video, ColumnType.Blob]
    assert config.output_column_types == [ColumnType.Video, ColumnType.Blob]
    assert (config.args, config.node_id) == ({"a": 1}, 4)
    assert [(device.type, device.id) for device in config.devices] == [(DeviceType.CPU.value, 0)]


def test_arguments_of_one_instance_are_its_own():
    class Greedy(Kernel):
        def execute(self, x: bytes) -> bytes:
            self.config.args["n"] = 1
            return x

    vertex = vertex_of(Greedy)
    host = KernelHost(vertex)
    host.begin_task()
    run(host, [b""])
    assert vertex.args == {}


@pytest.mark.parametrize(
    "method", ["__init__", "fetch_resources", "setup_with_resources", "reset", "new_stream", "close"]
)
def test_a_failing_method_is_named(method):
    class Broken(Kernel):
        def execute(self, x: bytes) -> bytes: ...

    def fail(self, *args):
        raise ZeroDivisionError("no luck")

    if method == "__init__":
        fail.__wrapped__ = Kernel.__init__  # so that the signature is right
    setattr(Broken, method, fail)

    def live():
        host = KernelHost(vertex_of(Broken))
        host.fetch_resources()
        host.setup_with_resources()
        host.begin_task()
        host.close()

    with pytest.raises(KernelError) as told:
        live()
    assert f"Broken (program.py:12) failed in {method}: ZeroDivisionError: no luck" in str(told.value)
    assert told.value.rows == ()
    assert "in fail" in told.value.traceback
    assert "_kernels" not in told.value.traceback


def test_a_reset_that_fails_between_rows_names_the_row():
    class Broken(Kernel):
        calls = 0

        def reset(self):
            self.calls += 1
            if self.calls == 2:
                raise OSError("gone")

        def execute(self, x: bytes) -> bytes:
            return x

    with pytest.raises(KernelError, match=r"at row 6: OSError: gone"):
        run(host_of(Broken), [b"", b""], resets=[True, True], first=5)


def test_sys_exit_in_a_kernel_is_a_failure():
    def f(config, x: bytes) -> bytes:
        raise SystemExit(3)

    with pytest.raises(KernelError, match="SystemExit: 3"):
        run(host_of(f), [b""])


def test_ctrl_c_is_not():
    def f(config, x: bytes) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(host_of(f), [b""])


def test_only_ops_have_kernels():
    vertex = vertex_of(Diary)
    with pytest.raises(ValueError, match="is no op"):
        KernelHost(
            type(vertex)(number=0, kind="sink", name="s", inputs=(), level=0, where=None, args={}, has_job_args=False)
        )


# Raw kernels


def raw(kernel, inputs=("x",), outputs=("y",), batch=1, args=None, **options) -> KernelHost:
    lowlevel.register_op("Raw", inputs, outputs, **options)
    signature = lowlevel.register_kernel("Raw", DeviceType.CPU, kernel, batch)
    host = KernelHost(place(signature, args or {}))
    host.begin_task()
    return host


def test_a_raw_function_takes_and_gives_a_sequence_of_columns():
    host = raw(lambda config, columns: (columns[1] + columns[0],), ["a", "b"])
    assert run(host, [b"1", b"2"], [b"x", b"y"]) == [b"x1", b"y2"]


def test_a_raw_class_gets_the_arguments_it_names():
    class K(Kernel):
        def __init__(self, config, times=1):
            super().__init__(config)
            self.times = times

        def execute(self, columns):
            return [columns[0] * self.times * self.config.args["more"]]

    assert run(raw(K, args={"times": 2, "more": 2}), [b"a"]) == [b"aaaa"]


def test_a_raw_kernel_with_batch_and_stencil_gets_lists_of_lists():
    seen = []

    def kernel(config, columns: Sequence[list[list[bytes]]]):
        seen.append(columns)
        return ([b"".join(window) for window in columns[0]],)

    host = raw(kernel, batch=2, stencil=[0, 1])
    outputs = host.run([[[b"a", b"b"], [b"b", b"c"]]], [False, False], [0, 1])
    assert outputs == [[b"ab", b"bc"]]
    assert seen == [[[[b"a", b"b"], [b"b", b"c"]]]]


def test_a_raw_kernel_may_take_frames_and_any_number_of_columns():
    lowlevel.register_op("Raw", [], ["y"], variadic_inputs=True)
    kernel = lowlevel.register_kernel("Raw", DeviceType.CPU, lambda config, columns: (bytes(columns[0]) + columns[1],))
    edges = (Edge(0, "frame", True, "", Compression()), Edge(1, "column", False, "", Compression()))
    host = KernelHost(replace(place(kernel, {}), inputs=edges))
    assert run(host, [np.ones((1, 1, 1), np.uint8)], [b"x"]) == [b"\1x"]
    assert host.config.input_columns == ["frame", "column"]


def test_a_raw_kernel_must_return_all_columns():
    with pytest.raises(KernelError, match=r"returned a bytes \(b'a'\): it has 1 outputs"):
        run(raw(lambda config, columns: columns[0]), [b"a"])
    with pytest.raises(KernelError, match="returned 2 values: it has 1 outputs"):
        run(raw(lambda config, columns: (b"", b"")), [b"a"])


# The seam for a kernel's own tests


def test_a_kernel_can_be_tried_without_a_host():
    class K(Kernel):
        def __init__(self, config, n):
            self.n = n

        def execute(self, x):
            return x * self.n

    assert python_kernel_fn(K, KernelConfig(), {"n": 2})(x=3) == 6
    assert python_kernel_fn(lambda config, x: (config.node_id, x), KernelConfig(node_id=5))(x=1) == (5, 1)


def test_the_base_class_has_no_execute():
    kernel = Kernel(KernelConfig())
    kernel.fetch_resources()
    kernel.setup_with_resources()
    kernel.new_stream()
    kernel.reset()
    kernel.close()
    with pytest.raises(NotImplementedError, match="Kernel has no execute"):
        kernel.execute(b"")
