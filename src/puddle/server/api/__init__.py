"""The use cases: everything a caller can ask for, without a word of HTTP or protobuf."""

from puddle.server.api.facade import Api

__all__ = ["Api"]
