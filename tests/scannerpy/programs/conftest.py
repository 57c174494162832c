"""Databases for the programs that use some."""

from tests.databases import lite, postgres, postgres_server

__all__ = ["lite", "postgres", "postgres_server"]
