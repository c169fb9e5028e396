"""The OpenAPI 3.1 document, from the endpoints and the messages they take and give."""

import inspect
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from http import HTTPStatus
from typing import Any

from orkestra.api_gateway.routes.answers import example_of
from orkestra.api_gateway.routes.endpoint import MOST_WAIT, VERSIONED, Endpoint
from orkestra.api_gateway.routes.examples import REQUESTS
from orkestra.api_gateway.routes.files_described import attach_described, content_described
from orkestra.api_gateway.routes.problems import MEDIA_TYPE, Problem
from orkestra.api_gateway.routes.reading import ENTITY_TAG, IDEMPOTENCY_KEY
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

Json = dict[str, Any]

REF = "#/components/schemas/"
ABOUT = (
    "Workflows that ask people, over REST. A field that has no value is null in answers. Times are RFC 3339 in UTC. "
    "Every error is a problem document (RFC 9457) with a stable `code`."
)
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": (
        "An API key (ork_…), the token of a session (ors_…) from POST /v1/sessions, or an access token (a JWT) of an "
        "OpenID Connect provider of the installation."
    ),
}
REFUSALS: dict[int, str] = {
    400: "The body is not JSON.",
    401: "No credential, or one that is unknown, expired or revoked.",
    403: "The caller may not do this.",
    404: "There is no such resource in the caller's tenant.",
    409: "The resource is not in a state that allows this; `current` shows it. Or the same request is still running.",
    412: "The resource has another version than the caller saw; `current` shows it.",
    413: "The body is over the limit.",
    415: "The body is not application/json.",
    422: "The request can never succeed as it is; `errors` names every field.",
    429: "Too many requests; `Retry-After` says when to try again.",
    500: "A fault on our side.",
    503: "Something that is needed is away; `Retry-After` says when to try again.",
    504: "Not served in time; whether it had an effect is not known.",
}
DURATION = r"^-?P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$"
"""ISO 8601, such as PT29.5S."""
BOUNDS: dict[str, Json] = {"page_size": {"minimum": 1}, "wait": {"minimum": 0, "maximum": MOST_WAIT}}
"""What rooms hold every such query parameter to; the largest page is each list's own."""
ONLY_WITH_BODY = frozenset({400, 413, 415})

EVENTS: Json = {
    "operationId": "stream_events",
    "tags": ["events"],
    "summary": "What happens that the caller may see, as server-sent events.",
    "description": (
        "Each event is one message: `data` is a JSON object with `id` (stable: an event may come twice), `type` such "
        "as task.completed, `subject` (the resource's id), its `version`, `time`, and `data` with the resource without "
        "its large and private fields. The message's own id is a place: `Last-Event-ID` goes on after it. An event "
        "named reset says that the place is older than what is kept, or of another stream: read lists anew. The "
        "stream ends when the credential does, and when this process ends; connect again."
    ),
    "parameters": [
        {
            "name": "Last-Event-ID",
            "in": "header",
            "required": False,
            "description": "The id of the last message that was read; without one the stream begins now.",
            "schema": {"type": "string"},
        }
    ],
    "responses": {
        "200": {
            "description": "The stream; it does not end by itself.",
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": (
                        'id: 643b2a1f9c0-42\ndata: {"id": "0198a1b2-0000-7000-8000-000000000002", "type": '
                        '"task.claimed", "subject": "task_0198a1b2c3d47e8f9a0b1c2d3e4f5a6d", "version": 2, "time": '
                        '"2030-01-31T12:00:00+00:00", "data": {"task": {"status": "claimed"}}}\n\n'
                    ),
                }
            },
        },
        **{str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in (401, 403, 429, 500, 503)},
    },
}
"""`GET /v1/events`, which is no rpc."""


def document(endpoints: Sequence[Endpoint], *, version: str) -> Json:
    """Returns the OpenAPI document of `endpoints`."""
    schemas = _schemas(endpoints)
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.verb.lower()] = _operation(endpoint, schemas)
    paths["/v1/events"] = {"get": EVENTS}
    paths["/v1/tasks/{task_id}/attachments"]["post"] = attach_described()
    paths["/v1/tasks/{task_id}/attachments/{attachment_id}/content"] = {"get": content_described()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Orkestra",
            "version": version,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {f"Problem{status}": _refusal(text) for status, text in REFUSALS.items()},
            "securitySchemes": {"bearer": BEARER},
        },
    }


def _schemas(endpoints: Sequence[Endpoint]) -> dict[str, Json]:
    """Returns every schema by name. Answers have all their fields; what comes in is closed to unknown ones."""
    gives = list(dict.fromkeys(endpoint.gives for endpoint in endpoints))
    takes = [endpoint for endpoint in endpoints if endpoint.has_body]
    answers: dict[str, Json] = _with_durations(_definitions([*gives, Problem], "serialization"))
    for name, schema in answers.items():
        if "properties" in schema and name != Problem.__name__:
            schema["required"] = list(schema["properties"])
    given = _renamed(_definitions([endpoint.takes for endpoint in takes], "validation"))
    for endpoint in takes:
        _without(given[endpoint.takes.__name__], endpoint.takes.model_fields.keys() - endpoint.open_fields.keys())
    for schema in given.values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return answers | given


def _definitions(models: Sequence[type[BaseModel]], mode: JsonSchemaMode) -> dict[str, Json]:
    _, found = models_json_schema([(model, mode) for model in models], ref_template=f"{REF}{{model}}")
    definitions: dict[str, Json] = found["$defs"]
    return definitions


def _with_durations(value: Any) -> Any:
    """Says what durations look like: the format of that name (RFC 3339, appendix A) has no part of a second."""
    if isinstance(value, list):
        return [_with_durations(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("format") == "duration":
        return {**{key: item for key, item in value.items() if key != "format"}, "pattern": DURATION}
    return {key: _with_durations(item) for key, item in value.items()}


def _renamed(schemas: Mapping[str, Json]) -> dict[str, Json]:
    """Sets what comes in apart from what is answered: a part of a request is called …Input."""
    names = {name: name if name.endswith("Request") else f"{name}Input" for name in schemas}

    def rename(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: f"{REF}{names[item.removeprefix(REF)]}" if key == "$ref" else rename(item)
                for key, item in value.items()
            }
        return [rename(item) for item in value] if isinstance(value, list) else value

    return {names[name]: rename(schema) for name, schema in schemas.items()}


def _without(schema: Json, fields: AbstractSet[str]) -> None:
    for field in fields:
        schema.get("properties", {}).pop(field, None)
    required = [name for name in schema.pop("required", []) if name not in fields]
    if required:
        schema["required"] = required


def _operation(endpoint: Endpoint, schemas: Mapping[str, Json]) -> Json:
    summary, _, rest = (inspect.getdoc(endpoint.rpc) or "").partition("\n")
    operation: Json = {
        "operationId": endpoint.rpc.__name__,
        "tags": [endpoint.path.split("/")[2]],
        "summary": summary,
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint),
    }
    if rest.strip():
        operation["description"] = rest.strip()
    if endpoint.is_open:
        operation["security"] = []
    if endpoint.has_body and endpoint.open_fields:
        name = endpoint.takes.__name__
        content: Json = {"schema": {"$ref": f"{REF}{name}"}}
        if endpoint.takes in REQUESTS:
            content["example"] = REQUESTS[endpoint.takes]
        needed = "required" in schemas[name]
        operation["requestBody"] = {"required": needed, "content": {"application/json": content}}
    return operation


def _parameters(endpoint: Endpoint) -> list[Json]:
    named = endpoint.takes.model_fields
    found = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": named[name].description or f"{name.replace('_', ' ').capitalize()}.",
            "schema": {"type": "string"},
        }
        for name in sorted(endpoint.in_path)
    ]
    if endpoint.takes_key:
        about = "1 to 255 visible ASCII characters. Same key, same body: one effect."
        found.append(_header("Idempotency-Key", about, pattern=f"^{IDEMPOTENCY_KEY}$"))
    if not endpoint.has_body:
        schema = endpoint.takes.model_json_schema()
        found += [_query_parameter(name, schema) for name in endpoint.open_fields]
    if endpoint.is_decision:
        about = 'The ETag that the caller saw, such as "3"; 412 where it has moved on.'
        found.append(_header("If-Match", about, pattern=rf"^(\*|{ENTITY_TAG})$"))
    found.append(_header("X-Request-Id", "Names the request in our logs; made where absent."))
    return found


def _query_parameter(name: str, message: Json) -> Json:
    """Returns a parameter for a field of `message`; it cannot be null, only absent."""
    field = message["properties"][name]
    kinds = [kind for kind in field.get("anyOf", [field]) if kind.get("type") != "null"]
    kind = message["$defs"][kinds[0]["$ref"].rpartition("/")[2]] if "$ref" in kinds[0] else kinds[0]
    described = {"description": field["description"]} if "description" in field else {}
    plain = {key: value for key, value in kind.items() if key not in ("title", "description", "default")}
    return {"name": name, "in": "query", "required": False, **described, "schema": plain | BOUNDS.get(name, {})}


def _header(name: str, description: str, **more: str) -> Json:
    schema = {"type": "string", **more}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _responses(endpoint: Endpoint) -> Json:
    good: Json = {"description": HTTPStatus(endpoint.status).phrase, "headers": _answer_headers(endpoint)}
    if endpoint.status != HTTPStatus.NO_CONTENT:
        example = example_of(endpoint.gives)
        shown = example if endpoint.answer_field is None else example[endpoint.answer_field]
        good["content"] = {"application/json": {"schema": _answer_schema(endpoint), "example": shown}}
    refusals = {
        str(status): {"$ref": f"#/components/responses/Problem{status}"}
        for status in REFUSALS
        if endpoint.has_body or status not in ONLY_WITH_BODY
    }
    if not endpoint.is_decision:
        refusals.pop("412", None)
    return {str(endpoint.status): good, **refusals}


def _answer_schema(endpoint: Endpoint) -> Json:
    if endpoint.answer_field is None:
        return {"$ref": f"{REF}{endpoint.gives.__name__}"}
    return {"type": "object", "description": endpoint.gives.model_fields[endpoint.answer_field].description or ""}


def _answer_headers(endpoint: Endpoint) -> Json:
    told = {
        "X-Request-Id": "Names the request in our logs.",
        "RateLimit": "What is left of each limit.",
        "RateLimit-Policy": "The limits.",
    }
    if endpoint.location is not None:
        told["Location"] = "Where the new resource is."
    if endpoint.gives in VERSIONED:
        told["ETag"] = "The resource's version, for If-Match."
    if endpoint.takes_key:
        told["Idempotency-Replayed"] = "true where this is the answer of an earlier request with the same key."
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in told.items()}


def _refusal(text: str) -> Json:
    content = {"schema": {"$ref": f"{REF}Problem"}, "example": example_of(Problem)}
    return {"description": text, "content": {MEDIA_TYPE: content}}
