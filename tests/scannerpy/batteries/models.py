"""Tiny ONNX models for the tests of detectors: constant answers, or ones made from the picture's mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_constant(path: Any, outputs: dict[str, Any], shape: tuple[Any, ...] = (1, 3, 32, 64), **how: Any) -> str:
    """Write a model that answers every picture with `outputs`."""
    nodes, values = [], []
    for name, value in outputs.items():
        array = np.asarray(value)
        nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array)))
        values.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape))
    return _write(path, nodes, values, shape, **how)


def write_means(path: Any, shape: tuple[Any, ...] = (1, 3, 8, 8)) -> str:
    """Write a model that answers with the mean of each channel, (1, 3)."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["out"]),
    ]
    values = [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["batch", 3])]
    return _write(path, nodes, values, shape)


def write_brightest(path: Any, size: tuple[int, int] = (32, 32)) -> str:
    """Write a YOLOv8 of one class whose one box is at the brightest cell of 8 × 8, as large as that; its score is the
    cell's brightness.
    """
    height, width = size
    cells = (height // 8) * (width // 8)
    ys, xs = np.mgrid[0 : height // 8, 0 : width // 8] * 8 + 4
    boxes = np.stack([xs.ravel(), ys.ravel(), np.full(cells, 8), np.full(cells, 8)]).astype(np.float32)[None]
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["grey"], axes=[1], keepdims=1),
        helper.make_node("AveragePool", ["grey"], ["pooled"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Constant", [], ["shape"], value=numpy_helper.from_array(np.array([1, 1, cells]))),
        helper.make_node("Reshape", ["pooled", "shape"], ["scores"]),
        helper.make_node("Constant", [], ["boxes"], value=numpy_helper.from_array(boxes)),
        helper.make_node("Concat", ["boxes", "scores"], ["output0"], axis=1),
    ]
    values = [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 5, cells])]
    return _write(path, nodes, values, (1, 3, height, width), opset=13)


def _write(
    path: Any,
    nodes: Any,
    values: Any,
    shape: tuple[Any, ...],
    dtype: int = TensorProto.FLOAT,
    inputs: int = 1,
    opset: int = 17,
) -> str:
    names = ["image", *(f"image{number}" for number in range(1, inputs))]
    given = [helper.make_tensor_value_info(name, dtype, shape) for name in names]
    graph = helper.make_graph(nodes, "tiny", given, values)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), str(path))
    return str(path)
