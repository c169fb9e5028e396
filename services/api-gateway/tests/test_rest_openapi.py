"""The OpenAPI document says what the door does."""

from typing import Any

import httpx
import jsonschema
import pytest
from orkestra.api_gateway.routes.answers import example_of
from orkestra.api_gateway.routes.endpoint import ENDPOINTS, Endpoint
from orkestra.api_gateway.routes.examples import REQUESTS
from orkestra.api_gateway.routes.files import CONTENT
from orkestra.api_gateway.routes.openapi import document
from orkestra.v1.task import Task
from orkestra.wire import parse
from rest_world import Migrated, rest_door, task

DOCUMENT = document(ENDPOINTS, version="0")


def schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


async def test_every_route_that_is_served_is_in_the_document(signer: Any, migrated: Migrated) -> None:
    gateway = await migrated("orkestra.api_gateway", "gateway")
    async with rest_door(signer, gateway.app_url) as door:
        for path, verbs in DOCUMENT["paths"].items():
            refused = await door.http.request("TRACE", path.replace("{", "").replace("}", ""))
            assert refused.headers["allow"] == ", ".join(sorted(verb.upper() for verb in verbs)), path


async def test_the_document_is_served_to_everyone(signer: Any, migrated: Migrated) -> None:
    gateway = await migrated("orkestra.api_gateway", "gateway")
    async with rest_door(signer, gateway.app_url) as door, httpx.AsyncClient() as nobody:
        answer = await nobody.get(f"{door.http.base_url}/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json()["paths"].keys() == {endpoint.path for endpoint in ENDPOINTS} | {"/v1/events", CONTENT}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.verb} {endpoint.path}")
def test_every_endpoint_is_described(endpoint: Endpoint) -> None:
    operation = DOCUMENT["paths"][endpoint.path][endpoint.verb.lower()]
    assert operation["summary"]
    assert ("requestBody" in operation) == (endpoint.has_body and bool(endpoint.open_fields))
    named = {parameter["name"] for parameter in operation["parameters"]}
    assert endpoint.in_path <= named
    assert {"401", "422", "429", "500", "503"} <= operation["responses"].keys()
    assert operation.get("security") == ([] if endpoint.is_open else None)


def test_every_schema_is_a_schema_and_every_reference_leads_to_one() -> None:
    for name in DOCUMENT["components"]["schemas"]:
        jsonschema.Draft202012Validator.check_schema(schema(name))
        _follow(DOCUMENT["components"]["schemas"][name])
    _follow(DOCUMENT["paths"])


def _follow(value: Any) -> None:
    if isinstance(value, dict):
        if isinstance(ref := value.get("$ref"), str):
            _, _, group, name = ref.split("/")
            assert name in DOCUMENT["components"][group], ref
        for item in value.values():
            _follow(item)
    if isinstance(value, list):
        for item in value:
            _follow(item)


@pytest.mark.parametrize("message", REQUESTS, ids=lambda message: message.__name__)
def test_a_requests_example_fits_it(message: Any) -> None:
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.takes is message)
    elsewhere = endpoint.takes.model_fields.keys() - endpoint.open_fields.keys()
    parse(message, REQUESTS[message] | dict.fromkeys(elsewhere, "x"))
    jsonschema.validate(REQUESTS[message], schema(message.__name__))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.verb} {endpoint.path}")
def test_every_body_that_is_sent_or_answered_has_an_example_that_fits(endpoint: Endpoint) -> None:
    operation = DOCUMENT["paths"][endpoint.path][endpoint.verb.lower()]
    if "requestBody" in operation:
        assert operation["requestBody"]["content"]["application/json"]["example"] == REQUESTS[endpoint.takes]
    if endpoint.status != 204:
        (content,) = operation["responses"][str(endpoint.status)]["content"].values()
        assert "example" in content
        parse(endpoint.gives, example_of(endpoint.gives))
        jsonschema.validate(content["example"], {**content["schema"], "components": DOCUMENT["components"]})


def test_every_decision_and_every_refusal_says_that_the_version_may_have_moved_on() -> None:
    for endpoint in ENDPOINTS:
        told = DOCUMENT["paths"][endpoint.path][endpoint.verb.lower()]["responses"]
        assert ("412" in told) == endpoint.is_decision
        takes_one = endpoint.verb != "GET" and "version" in endpoint.open_fields
        is_else = endpoint.rpc.__name__ in ("start_workflow", "update_me")  # a definition's, and one inside the answer
        assert endpoint.is_decision == (takes_one and not is_else), endpoint.path


def test_a_task_as_answered_fits_its_schema_and_has_every_field() -> None:
    answered = task().model_dump(mode="json")
    jsonschema.validate(answered, schema("Task"))
    assert answered.keys() == Task.model_fields.keys() == DOCUMENT["components"]["schemas"]["Task"]["properties"].keys()
