"""Fixtures of the reconciler's tests."""

from tests.puddle.reconcile.places import place

__all__ = ["place"]
