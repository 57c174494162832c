"""The import paths of older programs give the same ops as `scannerpy.ops`."""

import importlib

import pytest

import scannertools
from scannerpy.op import PYTHON_OP_REGISTRY


@pytest.mark.parametrize(
    ("module", "ops"),
    [
        ("imgproc", "Histogram OpticalFlow Resize Blur ConvertColor ImageDecoder Montage"),
        ("misc", "Pass Discard DiscardFrame InfoFromFrame"),
        ("shot_detection", "ShotBoundaries"),
        ("vis", "DrawBboxes DrawFlow"),
        ("face_detection", "MTCNNDetectFaces EmbedFaces DetectGender"),
        ("object_detection", "DetectObjects MaskRCNNDetectObjects TorchDrawBoxes"),
    ],
)
def test_importing_a_module_registers_its_ops(module, ops):
    importlib.import_module(f"scannertools.{module}")
    assert set(ops.split()) <= set(PYTHON_OP_REGISTRY)


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("scannertools.storage.files", "FilesStorage FilesStream"),
        ("scannertools.storage.python", "PythonStorage PythonStream"),
        ("scannertools.storage.audio", "AudioStorage AudioStream"),
        ("scannertools.storage.caption", "CaptionStorage CaptionStream"),
        ("scannertools_sql", "SQLStorage SQLInputStream SQLOutputStream"),
        ("scannertools_sql.storage", "SQLStorage SQLInputStream SQLOutputStream"),
        ("scannertools.torch", "TorchKernel"),
        ("scannertools.tensorflow", "TensorFlowKernel"),
    ],
)
def test_streams_and_bases_are_where_programs_look_for_them(module, names):
    found = importlib.import_module(module)
    assert set(names.split()) == set(found.__all__)
    assert all(getattr(found, name).__module__.startswith("scannerpy.") for name in found.__all__)


def test_one_import_brings_all_of_them():
    assert scannertools.storage.files.FilesStream is not None
    assert all(hasattr(scannertools, name) for name in scannertools.__all__)


@pytest.mark.parametrize(
    ("op", "inputs", "column", "stream_arguments", "arguments"),
    [
        ("Histogram", "frame", "histogram", "", ""),
        ("OpticalFlow", "frame", "flow", "", ""),
        ("Resize", "frame", "frame", "width height min preserve_aspect interpolation", ""),
        ("Blur", "frame", "frame", "", "kernel_size sigma"),
        ("ConvertColor", "frame", "frame", "conversion", ""),
        ("ImageDecoder", "img", "frame", "", ""),
        ("ImageEncoder", "frame", "img", "", "format"),
        ("Montage", "frame", "montage", "", "num_frames target_width frames_per_row"),
        ("Pass", "input", "output", "", None),
        ("Discard", "ignore", "dummy", "", None),
        ("DiscardFrame", "ignore", "dummy", "", None),
        ("InfoFromFrame", "frame", "frame_info", "", None),
        ("ShotBoundaries", "histograms", "boundaries", "", ""),
        ("DrawFlow", "frame flow", "frame", "", ""),
        ("DrawBboxes", "frame bboxes", "frame", "", ""),
        ("MTCNNDetectFaces", "frame", "bboxes", "", "model layout threshold overlap mean std bgr"),
        ("EmbedFaces", "frame bboxes", "embeddings", "", "model mean std bgr"),
        ("DetectGender", "frame bboxes", "genders", "", "model labels mean std bgr"),
        ("DetectObjects", "frame", "bboxes", "", "model layout threshold overlap mean std bgr"),
    ],
)
def test_ops_have_the_columns_and_arguments_programs_name(op, inputs, column, stream_arguments, arguments):
    """Where `arguments` is None, the op is a function, which takes any. `init_parameter` is that of `Kernel` itself."""
    signature = PYTHON_OP_REGISTRY[op]
    assert [each.name for each in signature.inputs] == inputs.split()
    assert [each.name for each in signature.outputs] == [column]
    assert list(signature.stream_params) == stream_arguments.split()
    own = None if signature.init_params is None else [n for n in signature.init_params if n != "init_parameter"]
    assert own == (None if arguments is None else arguments.split())
