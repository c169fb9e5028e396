"""What every operation on tasks has at hand."""

from orkestra.chassis.database import Database
from orkestra.task_service.operations.people import People


class Base:
    """The database of the schema `task` and the people that tasks name."""

    def __init__(self, database: Database, people: People) -> None:
        self.database = database
        self.people = people
