"""What every operation on tasks has at hand."""

from orkestra.chassis.database import Database
from orkestra.chassis.drain import Drain
from orkestra.rules.receipts import ReceiptKey
from orkestra.task_service.operations.contents import Contents
from orkestra.task_service.operations.fresh import FreshEnds
from orkestra.task_service.operations.people import People


class Base:
    """The database of the schema `task`, the people that tasks name, the key of receipts, and the content of files.

    When the process drains, calls that wait for ends are answered.
    """

    def __init__(
        self,
        database: Database,
        people: People,
        receipt_key: ReceiptKey,
        contents: Contents,
        drain: Drain,
    ) -> None:
        self.database = database
        self.people = people
        self.receipt_key = receipt_key
        self.contents = contents
        self.fresh_ends = FreshEnds(drain)
