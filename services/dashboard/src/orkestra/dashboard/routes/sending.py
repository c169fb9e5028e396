"""Posted forms with files: fields are read, and each file goes on to its task while it comes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import Request
from orkestra.chassis.files import FORM, FormStream, attach, drain
from orkestra.v1.task import Attachment, TaskServiceClient
from orkestra.wire import Error, Unauthenticated

INPUT = "data."
CHOSEN = ".file"
"""What follows a file field's name where a file is chosen for it."""


@dataclass(frozen=True)
class Sent:
    """A file that was sent with a form: attached, or refused. `field` is the form's field that it is for."""

    name: str
    field: str | None
    file: Attachment | None = None
    refusal: Error | None = None


def has_files(request: Request) -> bool:
    """Whether a form may bring files."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM


async def read_files(
    request: Request, tasks: TaskServiceClient, is_ours: Callable[[Mapping[str, list[str]]], bool]
) -> tuple[dict[str, list[str]], list[Sent]]:
    """Returns the fields and what became of each file. A file before `is_ours` holds of the fields is passed over.

    A file that was attached for a field of the answer is one of the field's values.
    """
    chunks = request.stream()
    form = FormStream(chunks, request.headers["content-type"])
    sent = []
    try:
        async for file in form.files():
            task_id = request.path_params.get("task_id")
            if not file.name or task_id is None or not is_ours(form.fields):
                continue  # browsers send a file without a name where none was chosen
            field = _field_of(file.input, form.fields)
            try:
                attached = await attach(tasks, str(task_id), file, field=field)
                sent.append(Sent(file.name, field, file=attached))
            except Unauthenticated:
                raise
            except Error as refusal:
                sent.append(Sent(file.name, field, refusal=refusal))
    except Error:
        await drain(chunks)
        raise
    for each in sent:
        if each.file is not None and each.field is not None:
            form.fields.setdefault(f"{INPUT}{each.field}", []).append(each.file.attachment_id)
    return form.fields, sent


def _field_of(name: str, fields: Mapping[str, list[str]]) -> str | None:
    if name.startswith(INPUT) and name.endswith(CHOSEN):
        return name.removeprefix(INPUT).removesuffix(CHOSEN)
    return fields.get("field", [""])[-1] or None
