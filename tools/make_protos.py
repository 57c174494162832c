# ruff: noqa: INP001  # a script, not a package
"""Generate the protobuf modules from proto/: ``python tools/make_protos.py [output folder]``; needs grpcio-tools.

The generated modules live inside our packages, while the .proto files import each other by their short path
(``scanner/v1/types.proto``), so the imports between generated modules are rewritten to where they really are.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
HOMES = {"scanner/v1": "scannerpy/proto/scanner/v1", "puddle/v2": "puddle/client/proto/v2"}
"""Where below src/ the modules of each folder of proto/ live."""


def generate(target: Path) -> list[Path]:
    """Write a ``_pb2.py`` and a ``_pb2.pyi`` for each .proto file below `target`; return what was written."""
    with tempfile.TemporaryDirectory() as folder:
        sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("*/*/*.proto"))
        arguments = ["protoc", f"-I{PROTO}", f"--python_out={folder}", f"--pyi_out={folder}", *sources]
        if protoc.main(arguments):
            raise SystemExit("protoc refused the files above")
        return [
            _moved(made, target / home)
            for short, home in HOMES.items()
            for made in sorted(Path(folder, short).iterdir())
        ]


def _moved(made: Path, home: Path) -> Path:
    text = made.read_text()
    for short, package in HOMES.items():
        here, there = _dotted(short), _dotted(package)
        text = text.replace(f"from {here} import ", f"from {there} import ")
        text = text.replace(f"DESCRIPTOR, '{here}.", f"DESCRIPTOR, '{there}.")  # pickle looks for messages there
    home.mkdir(parents=True, exist_ok=True)
    path = home / made.name
    path.write_text(text)
    return path


def _dotted(folder: str) -> str:
    return folder.replace("/", ".")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "src")
