# ruff: noqa: INP001  # a script, not a package
"""Generate src/scannerpy/proto from proto/: ``python tools/make_protos.py [output folder]``; needs grpcio-tools.

The generated modules live below `scannerpy.proto`, while the .proto files import each other by their short path
(``scanner/v1/types.proto``), so the imports between generated modules are rewritten to where they really are.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
PACKAGE = ROOT / "src" / "scannerpy" / "proto"
IMPORT = re.compile(r"^from scanner\.v1 import ", re.MULTILINE)
MODULE = re.compile(r"(?<=DESCRIPTOR, ')scanner\.v1\.(?=\w+_pb2')")
"""Where messages say that they are defined: pickle looks there."""


def generate(target: Path) -> list[Path]:
    """Write a ``_pb2.py`` and a ``_pb2.pyi`` for each .proto file below `target`; returns what was written."""
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("scanner/v1/*.proto"))
    arguments = ["protoc", f"-I{PROTO}", f"--python_out={target}", f"--pyi_out={target}", *sources]
    if protoc.main(arguments):
        raise SystemExit("protoc refused the files above")
    written = sorted(target.glob("scanner/v1/*_pb2.py*"))
    for path in written:
        text = IMPORT.sub("from scannerpy.proto.scanner.v1 import ", path.read_text())
        path.write_text(MODULE.sub("scannerpy.proto.scanner.v1.", text))
    return written


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE)
