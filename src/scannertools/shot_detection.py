"""ShotBoundaries, under its older import path."""

from scannerpy.ops.shot_detection import ShotBoundaries

__all__ = ["ShotBoundaries"]
