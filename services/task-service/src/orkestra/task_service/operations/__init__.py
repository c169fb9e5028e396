"""The rpcs of TaskService: each is one transaction that checks, decides, writes and emits."""

from orkestra.task_service.operations.asking import Asking
from orkestra.task_service.operations.attaching import Attaching
from orkestra.task_service.operations.bulk import Bulk
from orkestra.task_service.operations.calendars import Calendars
from orkestra.task_service.operations.commenting import Commenting
from orkestra.task_service.operations.contents import Chunks, Contents, Leftovers
from orkestra.task_service.operations.correcting import Correcting
from orkestra.task_service.operations.creating import Creating
from orkestra.task_service.operations.deciding import Deciding
from orkestra.task_service.operations.ending import Ending, Ends, Tips
from orkestra.task_service.operations.escalating import Escalating
from orkestra.task_service.operations.figuring import Figuring
from orkestra.task_service.operations.forgetting import Forgetting
from orkestra.task_service.operations.handing import Handing
from orkestra.task_service.operations.managing import Managing
from orkestra.task_service.operations.people import People, group_columns, person_columns, substitution_columns
from orkestra.task_service.operations.reading import Reading
from orkestra.task_service.operations.redeeming import Redeeming
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.operations.undoing import Undoing
from orkestra.task_service.operations.views import Views

__all__ = [
    "Chunks",
    "Contents",
    "Ends",
    "Leftovers",
    "People",
    "TaskOperations",
    "Tips",
    "group_columns",
    "person_columns",
    "sql",
    "substitution_columns",
]


class TaskOperations(
    Bulk,
    Views,
    Creating,
    Reading,
    Deciding,
    Asking,
    Commenting,
    Attaching,
    Escalating,
    Redeeming,
    Ending,
    Handing,
    Forgetting,
    Managing,
    Calendars,
    Correcting,
    Figuring,
    Undoing,
):
    """Every rpc of TaskService."""

    open_rpcs = frozenset({"GetReceiptKeys"})
