"""The statements of queries.sql."""

from orkestra.chassis.sql import load

sql = load("orkestra.task_service")
