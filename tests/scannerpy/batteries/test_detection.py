"""Detectors and face models: which tensors are understood, where boxes end up, and what is said about the rest."""

import sys

import numpy as np
import pytest
from onnx import TensorProto

import scannerpy as sp
from scannerpy import errors
from scannerpy.kernel import KernelConfig
from scannerpy.ops.face_detection import DetectGender, EmbedFaces, MTCNNDetectFaces
from scannerpy.ops.frameworks import TensorFlowKernel, TorchKernel
from scannerpy.ops.object_detection import DetectObjects, MaskRCNNDetectObjects
from tests.scannerpy.batteries.models import write_brightest, write_constant, write_means

FRAME = np.zeros((64, 128, 3), np.uint8)  # twice the size of the models' input


def made(kernel, **arguments):
    one = kernel(KernelConfig(), **arguments)
    one.setup_with_resources()
    return one


def rounded(boxes):
    return [(round(b.x1, 3), round(b.y1, 3), round(b.x2, 3), round(b.y2, 3), round(b.score, 3), b.label) for b in boxes]


def f32(value):
    return np.array(value, np.float32)


BOX = (0.25, 0.25, 0.5, 0.75, 0.9, 1)  # in pixels of the 32 × 64 input: 16, 8, 32, 24
YOLO8 = np.zeros((1, 6, 20), np.float32)
YOLO8[0, :, 0] = 24, 16, 16, 16, 0.2, 0.9
YOLO8[0, :, 1] = 25, 16, 16, 16, 0.1, 0.8  # nearly the same: suppressed
YOLO8[0, :, 2] = 25, 16, 16, 16, 0.3, 0.1  # scores too little
YOLO5 = np.zeros((1, 20, 7), np.float32)
YOLO5[0, 0] = 24, 16, 16, 16, 0.9, 0.1, 1.0
ONE = {
    "yolov8": {"output0": YOLO8},
    "yolov5": {"output": YOLO5},
    "end-to-end": {"output0": f32([[[16, 8, 32, 24, 0.9, 1], [0, 0, 9, 9, 0.1, 0]]])},
    "ssd": {
        "detection_boxes": f32([[[0.25, 0.25, 0.75, 0.5], [0, 0, 1, 1]]]),
        "detection_classes": f32([[1, 2]]),
        "detection_scores": f32([[0.9, 0.9]]),
        "num_detections": f32([1]),
    },
    "torchvision": {
        "boxes": f32([[16, 8, 32, 24]]),
        "labels": np.array([1]),
        "scores": f32([0.9]),
        "masks": np.zeros((1, 1, 32, 64), np.float32),
    },
    "priors": {"scores": f32([[[0.1, 0.9], [0.9, 0.1]]]), "boxes": f32([[[0.25, 0.25, 0.5, 0.75], [0, 0, 1, 1]]])},
}


@pytest.mark.parametrize("layout", ONE)
@pytest.mark.parametrize("told", [False, True])
def test_every_layout_gives_the_same_box(tmp_path, layout, told):
    path = write_constant(tmp_path / "m.onnx", ONE[layout])
    detector = made(DetectObjects, model=path, layout=layout if told else None)
    assert rounded(detector.execute(FRAME)) == [BOX]


def test_a_yolov5_of_one_class_must_be_named(tmp_path):
    """(1, n, 6) is otherwise taken for corners, score and label."""
    path = write_constant(tmp_path / "m.onnx", {"output": f32([[[24, 16, 16, 16, 0.9, 1.0]]])})
    assert rounded(made(DetectObjects, model=path, layout="yolov5").execute(FRAME)) == [(*BOX[:5], 0)]


def test_boxes_of_different_labels_may_overlap(tmp_path):
    both = YOLO8.copy()
    both[0, 4:, 1] = 0.8, 0.1
    path = write_constant(tmp_path / "m.onnx", {"output0": both})
    assert [box.label for box in made(DetectObjects, model=path).execute(FRAME)] == [1, 0]
    assert [box.label for box in made(DetectObjects, model=path, threshold=0.85).execute(FRAME)] == [1]


def test_boxes_are_cut_off_at_the_frame(tmp_path):
    path = write_constant(
        tmp_path / "m.onnx", {"boxes": f32([[-5, -5, 99, 99]]), "labels": np.array([3]), "scores": f32([1])}
    )
    assert rounded(made(MaskRCNNDetectObjects, model=path).execute(FRAME)) == [(0, 0, 1, 1, 1, 3)]


@pytest.mark.parametrize("shape", [(40, 80), (64, 32), (32, 64), (300, 100)])
def test_boxes_are_fractions_of_the_frame_whatever_its_shape(tmp_path, shape):
    """The frame is fitted into the model's input without distortion; the box comes back where the light is."""
    detector = made(DetectObjects, model=write_brightest(tmp_path / "m.onnx"), threshold=0.9)
    height, width = shape
    scale = min(32 / height, 32 / width)
    frame = np.zeros((height, width, 3), np.uint8)
    side = round(8 / scale)
    frame[:side, :side] = 255
    (box,) = detector.execute(frame)
    assert box.x1 == box.y1 == 0
    assert abs(box.x2 * width - side) < 1.5
    assert abs(box.y2 * height - side) < 1.5


@pytest.mark.parametrize("shape", [(1, 3, 32, 64), ("batch", 3, "h", "w"), (1, 32, 64, 3), (1, None, None, 3)])
@pytest.mark.parametrize("dtype", [TensorProto.FLOAT, TensorProto.UINT8])
def test_inputs_may_be_planes_or_pixels_of_fixed_or_free_size(tmp_path, shape, dtype):
    path = write_constant(tmp_path / "m.onnx", ONE["torchvision"], shape, dtype=dtype)
    (box,) = made(DetectObjects, model=path).execute(FRAME)
    free = not isinstance(shape[2], int)
    expected = tuple(value / 2 for value in BOX[:4]) if free else BOX[:4]  # a free input is the frame itself
    assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx(expected)


def test_pixels_are_scaled_as_asked(tmp_path):
    """(pixel / 255 − mean) / std, in RGB or BGR."""
    path = write_means(tmp_path / "m.onnx")
    frame = np.full((16, 16, 3), (255, 51, 0), np.uint8)
    whole = [sp.protobufs.BoundingBox(x1=0, y1=0, x2=1, y2=1)]
    (plain,) = made(EmbedFaces, model=path).execute(frame, whole)
    np.testing.assert_allclose(plain, [1, 0.2, 0], atol=1e-6)
    (scaled,) = made(EmbedFaces, model=path, mean=[0.5, 0.2, 0], std=0.5, bgr=True).execute(frame, whole)
    np.testing.assert_allclose(scaled, [-1, 0, 2], atol=1e-6)


def test_each_face_is_looked_at_by_itself(tmp_path):
    frame = np.zeros((20, 20, 3), np.uint8)
    frame[:10, :10], frame[10:, 10:] = (255, 0, 0), (0, 0, 255)
    boxes = [sp.protobufs.BoundingBox(x1=x, y1=x, x2=x + 0.5, y2=x + 0.5) for x in (0, 0.5)]
    boxes.append(sp.protobufs.BoundingBox(x1=2, y1=2, x2=3, y2=3))  # outside: the nearest pixel
    found = made(EmbedFaces, model=write_means(tmp_path / "m.onnx")).execute(frame, boxes)
    np.testing.assert_allclose(found, [[1, 0, 0], [0, 0, 1], [0, 0, 1]], atol=1e-6)


@pytest.mark.parametrize(("answer", "probability"), [([[0.25, 0.75]], 0.75), ([[1.0, 3.0]], 0.8808)])
def test_genders_have_a_probability(tmp_path, answer, probability):
    path = write_constant(tmp_path / "m.onnx", {"out": f32(answer)}, (1, 3, 8, 8))
    ((label, sure),) = made(DetectGender, model=path).execute(FRAME, [sp.protobufs.BoundingBox(x2=1, y2=1)])
    assert (label, round(sure, 4)) == ("M", probability)


def test_through_a_client(cl, clip, tmp_path):
    frames = cl.io.Input([sp.NamedVideoStream(cl, "film", path=clip(6))])
    boxes = cl.ops.MTCNNDetectFaces(frame=frames, model=write_constant(tmp_path / "m.onnx", ONE["ssd"]))
    faces = cl.ops.EmbedFaces(frame=frames, bboxes=boxes, model=write_means(tmp_path / "e.onnx"))
    drawn = cl.ops.TorchDrawBoxes(frame=frames, bboxes=boxes)
    results = [sp.NamedStream(cl, name) for name in ("boxes", "faces", "drawn")]
    sinks = [cl.io.Output(column, [result]) for column, result in zip((boxes, faces, drawn), results, strict=True)]
    cl.run(sinks, show_progress=False)
    assert all(result.committed() for result in results)
    assert rounded(next(results[0].load()))[0][4:] == (0.9, 1)
    assert [vector.shape for vector in next(results[1].load())] == [(3,)]


# Mistakes


@pytest.mark.parametrize("op", ["DetectObjects", "MaskRCNNDetectObjects", "MTCNNDetectFaces"])
def test_without_a_model_the_op_says_what_to_give(cl, clip, op):
    frames = cl.io.Input([sp.NamedVideoStream(cl, "film", path=clip(3))])
    output = cl.io.Output(getattr(cl.ops, op)(frame=frames), [sp.NamedStream(cl, "out")])
    with pytest.raises(sp.ScannerException, match=f"{op} needs a model: .*model='model.onnx'"):
        cl.run(output, show_progress=False)


def test_without_onnxruntime_the_extra_is_named(tmp_path, monkeypatch):
    path = write_constant(tmp_path / "m.onnx", ONE["ssd"])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(errors.NotSupported, match=r"scanner-puddle\[models\]"):
        made(DetectObjects, model=path)


def test_a_file_that_is_no_model_is_told(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with pytest.raises(errors.ConfigError, match="is no model that onnxruntime can open"):
        made(DetectObjects, model=str(tmp_path / "m.onnx"))
    with pytest.raises(errors.ConfigError, match="does not exist"):
        made(MTCNNDetectFaces, model=str(tmp_path / "none.onnx"))


@pytest.mark.parametrize(
    ("shape", "how"),
    [
        ((1, 1, 32, 32), {}),
        ((3, 32, 32), {}),
        ((4, 3, 32, 32), {}),
        ((1, 3, 32, 32), {"dtype": TensorProto.INT64}),
        ((1, 3, 32, 32), {"inputs": 2}),
    ],
)
def test_other_inputs_are_refused_with_what_is_understood(tmp_path, shape, how):
    path = write_constant(tmp_path / "m.onnx", ONE["ssd"], shape, **how)
    with pytest.raises(errors.ConfigError, match=r"takes image: .*but one image is understood"):
        made(DetectObjects, model=path)


@pytest.mark.parametrize(
    ("outputs", "layout", "says"),
    [
        ({"a": f32([[1, 2]])}, None, r"outputs of the model .*\(a \[1, 2\]\) are not in a form that is understood"),
        ({"a": f32([[1, 2]])}, "ssd", "are not ssd after all"),
        ({"output0": f32(np.zeros((2, 6, 20)))}, None, "are not yolov8 after all"),
        ({"a": f32([1]), "b": f32([1])}, None, "the forms are yolov8, yolov5, end-to-end, ssd, torchvision, priors"),
        ({"a": f32([1])}, "yolo", "layout 'yolo' is not known"),
    ],
)
def test_other_outputs_are_refused_with_their_shapes(tmp_path, outputs, layout, says):
    detector = made(DetectObjects, model=write_constant(tmp_path / "m.onnx", outputs), layout=layout)
    with pytest.raises(errors.ConfigError, match=says):
        detector.execute(FRAME)


def test_a_face_model_must_have_one_answer_of_the_right_length(tmp_path):
    path = write_constant(tmp_path / "m.onnx", {"a": f32([[1]]), "b": f32([[1]])})
    with pytest.raises(errors.ConfigError, match="outputs a, b, but EmbedFaces understands one"):
        made(EmbedFaces, model=path)
    gender = made(DetectGender, model=write_constant(tmp_path / "g.onnx", {"a": f32([[1, 2, 3]])}))
    with pytest.raises(errors.ConfigError, match="gives 3 numbers for a face, but DetectGender has the labels F, M"):
        gender.execute(FRAME, [sp.protobufs.BoundingBox(x2=1, y2=1)])


def test_frames_that_are_no_pictures_are_refused(tmp_path):
    detector = made(DetectObjects, model=write_constant(tmp_path / "m.onnx", ONE["ssd"]))
    with pytest.raises(ValueError, match="uint8 frames with 3 channels"):
        detector.execute(FRAME.astype(np.float32))


@pytest.mark.parametrize("name", ["OpenPose", "CaffeNet", "FacenetDetectFaces", "FasterRCNN", "CPM2"])
def test_ops_that_ran_on_caffe_say_that_they_are_gone(cl, name):
    with pytest.raises(errors.UnknownOp, match="ran on Caffe are gone"):
        getattr(cl.ops, name)


# Frameworks


class Torch:
    """A fake of the three names of PyTorch that TorchKernel uses: PyTorch itself is too large for these tests."""

    @staticmethod
    def device(name):
        return f"device {name}"


class FakeModule:
    def to(self, device):
        self.device = device
        return self

    def eval(self):
        self.evaluated = True
        return self


def test_a_torch_kernel_has_its_model_on_its_device(monkeypatch):
    class Model(TorchKernel):
        def build_model(self):
            return FakeModule()

    monkeypatch.setitem(sys.modules, "torch", Torch)
    kernel = made(Model)
    assert (kernel.model.device, kernel.model.evaluated) == ("device cpu", True)
    handle = sp.DeviceHandle(sp.DeviceType.GPU, 1)
    assert Model(KernelConfig(devices=[handle])).device == "device cuda:1"
    with pytest.raises(NotImplementedError, match="TorchKernel has no build_model"):
        made(TorchKernel)


def test_frameworks_that_are_not_there_are_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(errors.NotSupported, match="TorchKernel needs PyTorch: pip install torch"):
        TorchKernel(KernelConfig())
    with pytest.raises(errors.NotSupported, match=r"TensorFlow 1 and is gone"):
        TensorFlowKernel(KernelConfig())
