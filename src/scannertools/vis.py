"""DrawBboxes and DrawFlow, under their older import path."""

from scannerpy.ops.drawing import DrawBboxes, DrawFlow

__all__ = ["DrawBboxes", "DrawFlow"]
