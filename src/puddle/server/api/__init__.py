"""What people and programs can ask of Puddle, in no transport's words."""

from puddle.server.api.facade import Api

__all__ = ["Api"]
