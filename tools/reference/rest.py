"""docs/api-reference/rest-api.md: every endpoint and message, from the OpenAPI document of the REST door."""

import json
from collections import defaultdict
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from orkestra.api_gateway.routes.endpoint import ENDPOINTS
from orkestra.api_gateway.routes.openapi import REFUSALS, document

from tools.reference import markdown, schemas
from tools.reference.markdown import block, code

Json = dict[str, Any]

ABOUT = """
The REST door serves `/v1` (on the local stack `http://127.0.0.1:8000/v1`) and describes itself as OpenAPI 3.1 at
`GET /v1/openapi.json`. This page is made of that document.

Fields that are not marked as required may be left out.
"""
CONVENTIONS = (
    (
        "Credential",
        (
            "`Authorization: Bearer …` with an API key (`ork_…`) or the token of a session (`ors_…`, from "
            "`POST /v1/sessions`)"
        ),
    ),
    (
        "Repeating safely",
        (
            "`Idempotency-Key` on every POST that has an effect for a known caller: same key and body, same answer "
            "(`Idempotency-Replayed: true`) and no second effect, for 24 hours; another body is refused with 422 "
            "(`REQUEST_ID_REUSED`). A refusal is not kept: the call is tried again. A secret that is shown once is "
            "empty in the repeated answer. Other methods take no key: they say what shall be, and `version` or "
            "`If-Match` guards them"
        ),
    ),
    ("Not deciding on something old", "`If-Match` with the `ETag` of the task; 412 where it has moved on"),
    ("Pages", "`page_size` and `page_token`; an answer's `next_page_token` leads on, and is null at the end"),
    ("Limits", "`RateLimit` and `RateLimit-Policy` in answers; 429 with `Retry-After`"),
    ("Tracing", "`traceparent` is continued; `X-Request-Id` names a request in the logs"),
    ("Values", "Times are RFC 3339 in UTC; unknown fields are refused; a field without a value is null"),
    ("Errors", "Problem documents (RFC 9457) with a stable `code`: [all of them](../errors.md)"),
)
REFUSED = """
Any request may be refused with one of these; 400, 413 and 415 only where there is a body, 412 only where `If-Match` or
`version` was given. The `code` in the problem document says why: [all codes](../errors.md).
"""
SHARED_HEADERS = {"Idempotency-Key", "If-Match", "X-Request-Id"}
TITLES = {"me": "Me", "api-keys": "API keys"}


def page() -> str:
    """Returns the page."""
    api = document(ENDPOINTS, version=version("orkestra-api-gateway"))
    definitions: dict[str, Json] = api["components"]["schemas"]
    linked = _linked(definitions)
    by_tag: dict[str, list[str]] = defaultdict(list)
    for path, methods in api["paths"].items():
        for verb, operation in methods.items():
            by_tag[operation["tags"][0]].append(_operation(verb.upper(), path, operation, definitions, linked))
    sections = ["\n\n".join([f"## {_title(tag)}", *operations]) for tag, operations in by_tag.items()]
    refusals = markdown.table(("Status", "When"), [(str(status), text) for status, text in REFUSALS.items()])
    conventions = markdown.table(("What", "How"), CONVENTIONS)
    messages = [_message(name, definitions, linked) for name in definitions if linked.get(name) == name.lower()]
    return markdown.page(
        "REST API", ABOUT, conventions, *sections, "## Refusals", REFUSED, refusals, "## Messages", *messages
    )


def _title(tag: str) -> str:
    return TITLES.get(tag, tag.replace("-", " ").capitalize())


def _linked(definitions: Mapping[str, Json]) -> dict[str, str]:
    """The anchor of each message; what comes in with the fields of what is answered shares that one's place."""
    found = {}
    for name, schema in definitions.items():
        base = name.removesuffix("Input")
        twin = definitions.get(base, {}).get("properties", {})
        shown = base if set(schema.get("properties", {})) == set(twin) else name
        found[name] = shown.lower()
    return found


def _operation(
    verb: str, path: str, operation: Json, definitions: Mapping[str, Json], linked: Mapping[str, str]
) -> str:
    parts = [f"### {verb} {path}", markdown.plain(operation.get("summary", ""))]
    parts.append(markdown.plain(operation.get("description", "")))
    if operation.get("security") == []:
        parts.append("Needs no credential.")
    named = [one for one in operation["parameters"] if one["name"] not in SHARED_HEADERS]
    rows = [
        (
            code(one["name"]),
            one["in"],
            schemas.kind(one["schema"], definitions, linked),
            markdown.plain(one.get("description", "")),
        )
        for one in named
    ]
    parts.append(markdown.table(("Parameter", "In", "Type", "What it is"), rows))
    if "requestBody" in operation:
        parts += _body(operation["requestBody"], definitions, linked)
    parts.append(_answer(operation["responses"], definitions, linked))
    return "\n\n".join(part for part in parts if part)


def _body(body: Json, definitions: Mapping[str, Json], linked: Mapping[str, str]) -> list[str]:
    if "application/json" not in body["content"]:
        return [f"Takes {_kinds(body['content'])}."]
    content = body["content"]["application/json"]
    name = content["schema"]["$ref"].rpartition("/")[2]
    parts = [schemas.fields(definitions[name], definitions, linked)]
    if "example" in content:
        parts.append(block(json.dumps(content["example"], indent=2, ensure_ascii=False), "json"))
    return parts


def _answer(responses: Json, definitions: Mapping[str, Json], linked: Mapping[str, str]) -> str:
    status, good = next((status, one) for status, one in responses.items() if status < "300")
    given = good.get("content", {})
    content = given.get("application/json")
    gives = schemas.kind(content["schema"], definitions, linked) if content else _kinds(given) or "nothing"
    return f"Answers **{status}** with {gives}."


def _kinds(content: Json) -> str:
    """What comes as it is, by its types."""
    return ", or ".join("any other type" if kind == "*/*" else code(kind) for kind in content)


def _message(name: str, definitions: Mapping[str, Json], linked: Mapping[str, str]) -> str:
    schema = definitions[name]
    if "properties" not in schema or name.endswith("Request"):
        return ""
    about = markdown.plain(schema.get("description", ""))
    return "\n\n".join(part for part in (f"### {name}", about, schemas.fields(schema, definitions, linked)) if part)
