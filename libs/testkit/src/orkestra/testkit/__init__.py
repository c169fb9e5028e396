"""Fixtures and tools for tests: real servers, databases of a test's own, waiting for conditions."""

from orkestra.cli.ports import free_port
from orkestra.testkit.databases import Schema, as_role, fresh, migrated
from orkestra.testkit.waiting import eventually, eventually_sync

__all__ = ["Schema", "as_role", "eventually", "eventually_sync", "free_port", "fresh", "migrated"]
