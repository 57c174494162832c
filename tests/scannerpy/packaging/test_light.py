"""Importing Scanner is quick: what is heavy comes when it is first needed."""

import subprocess
import sys

import pytest

HEAVY = ["av", "cv2", "google.protobuf", "obstore", "onnxruntime", "rich", "sqlalchemy", "typer"]


def loaded_by(statement):
    """Return which of the heavy packages a fresh interpreter has loaded after `statement`."""
    code = f"import sys\n{statement}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    "statement",
    [
        "import scannerpy",
        "import scannerpy.ops, scannerpy.backends",
        "import scannertools.imgproc, scannertools.storage.files, scannertools_sql",
    ],
)
def test_nothing_heavy_is_imported(statement):
    assert loaded_by(statement) == []


def test_listing_the_ops_imports_nothing_heavy():
    assert loaded_by("import scannerpy; assert 'Histogram' in dir(scannerpy.op.OpGenerator(None))") == []
