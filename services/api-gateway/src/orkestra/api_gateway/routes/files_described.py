"""What the OpenAPI document says of files: the two operations that are more than one rpc."""

from typing import Any

from orkestra.api_gateway.routes.answers import example_of
from orkestra.api_gateway.routes.reading import IDEMPOTENCY_KEY
from orkestra.v1.task import Attachment

Json = dict[str, Any]
_TEXT = {"type": "string"}


def attach_described() -> Json:
    """Returns the operation that attaches a file."""
    about = (
        "Either a form (multipart/form-data) with the file as `file`, before it optionally `field`; or the bytes as "
        "they are, with the query parameter `name`. It is taken while it comes; how large it may be, of which types, "
        "and how many a task has, is the installation's."
    )
    form = {
        "type": "object",
        "properties": {"field": _TEXT, "file": {"type": "string", "contentMediaType": "application/octet-stream"}},
        "required": ["file"],
    }
    return {
        "operationId": "attach_file",
        "tags": ["tasks"],
        "summary": "Attaches a file to a live task, for whoever may work on it, asked for it, or manages it.",
        "description": about,
        "parameters": [
            _in_path("task_id"),
            _in_query("name", "What the file is called; needed where the body is the file itself."),
            _in_query("field", "A file field of the task's form, whose rules are held then; as in the form."),
            _header("Idempotency-Key", "1 to 255 visible ASCII characters. Same key, same file: attached once.")
            | {"schema": _TEXT | {"pattern": f"^{IDEMPOTENCY_KEY}$"}},
        ],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form, "encoding": {"file": {"contentType": "*/*"}}},
                "*/*": {"schema": {}},
            },
        },
        "responses": {
            "201": _attached(),
            **_refusals(400, 401, 403, 404, 409, 413, 422, 429, 500, 503, 504),
        },
    }


def _attached() -> Json:
    shown = {"schema": {"$ref": "#/components/schemas/Attachment"}, "example": example_of(Attachment)}
    return {
        "description": "Attached.",
        "headers": {"Location": {"description": "Where it is.", "schema": _TEXT}},
        "content": {"application/json": shown},
    }


def content_described() -> Json:
    """Returns the operation that gives a file's content."""
    file = {"description": "The file.", "content": {"*/*": {"schema": {}}}}
    told = "What a browser does with it: it is saved under its name (RFC 6266), and never shown."
    headers = {"Content-Disposition": {"description": told, "schema": _TEXT}}
    return {
        "operationId": "get_attachment_content",
        "tags": ["tasks"],
        "summary": "Returns what a file holds, all of it or one range.",
        "parameters": [
            _in_path("task_id"),
            _in_path("attachment_id"),
            _header("Range", "One range of bytes, such as bytes=0-1023 (RFC 9110)."),
        ],
        "responses": {
            "200": file | {"headers": headers},
            "206": file | {"description": "The range.", "headers": headers},
            "416": {
                "description": "The file ends before the range.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
            **_refusals(401, 403, 404, 409, 422, 429, 500, 503, 504),
        },
    }


def _refusals(*statuses: int) -> Json:
    return {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in statuses}


def _in_path(name: str) -> Json:
    words = f"{name.replace('_', ' ').capitalize()}."
    return {"name": name, "in": "path", "required": True, "description": words, "schema": _TEXT}


def _in_query(name: str, description: str) -> Json:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": _TEXT}


def _header(name: str, description: str) -> Json:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": _TEXT}
