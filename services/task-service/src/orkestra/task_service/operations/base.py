"""What every operation on tasks has at hand."""

from orkestra.chassis.database import Database
from orkestra.rules.receipts import ReceiptKey
from orkestra.task_service.operations.people import People


class Base:
    """The database of the schema `task` the people that tasks name, and the key of receipts."""

    def __init__(self, database: Database, people: People, receipt_key: ReceiptKey) -> None:
        self.database = database
        self.people = people
        self.receipt_key = receipt_key
