"""Ops: their signatures, the registry, and the checks of a call."""
