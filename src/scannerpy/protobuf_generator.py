"""The name under which the API reference documents `scannerpy.protobufs`."""

from __future__ import annotations

from scannerpy.protobufs import ProtobufGenerator, analyze_proto, protobufs, python_to_proto

__all__ = ["ProtobufGenerator", "analyze_proto", "protobufs", "python_to_proto"]
