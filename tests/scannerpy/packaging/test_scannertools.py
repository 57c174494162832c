"""The import paths of older programs give the same ops as `scannerpy.ops`."""

import importlib

import pytest

from scannerpy.op import PYTHON_OP_REGISTRY


@pytest.mark.parametrize(
    ("module", "ops"),
    [
        ("imgproc", "Histogram OpticalFlow Resize Blur ConvertColor ImageDecoder Montage"),
        ("misc", "Pass Discard DiscardFrame InfoFromFrame"),
        ("shot_detection", "ShotBoundaries"),
        ("vis", "DrawBboxes DrawFlow"),
    ],
)
def test_importing_a_module_registers_its_ops(module, ops):
    importlib.import_module(f"scannertools.{module}")
    assert set(ops.split()) <= set(PYTHON_OP_REGISTRY)
