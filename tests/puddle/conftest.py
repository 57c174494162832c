"""Fixtures of all tests of Puddle."""

from tests.puddle.databases import memory, postgres_server, postgres_url, store

__all__ = ["memory", "postgres_server", "postgres_url", "store"]
