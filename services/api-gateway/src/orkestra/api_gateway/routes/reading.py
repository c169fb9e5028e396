"""Reads a request message out of an HTTP request, and refuses everything else."""

import re
from datetime import datetime
from http import HTTPStatus
from typing import Any, get_origin

from fastapi import Request
from orkestra.api_gateway.routes.endpoint import Endpoint
from orkestra.chassis.door import read_body
from orkestra.wire import FieldError, InvalidArgument, Model, loads, parse
from orkestra.wire.problems import to_invalid_argument
from pydantic import ValidationError
from starlette.exceptions import HTTPException

IDEMPOTENCY_KEY = r"[\x21-\x7e]{1,255}"
ENTITY_TAG = r'(W/)?"([\x21\x23-\x7e]*)"'
NO_VERSION = -1
"""The version of no resource: what an entity tag that was never given out stands for."""


async def read_message(request: Request, endpoint: Endpoint, *, credential: str | None, body_limit: int) -> Model:
    """Returns the rpc's request message from path, query, body and `If-Match`.

    Raises InvalidArgument for unknown, wrong or missing fields, TooLarge for a body over `body_limit` bytes, and 400
    and 415 for what is no JSON.
    """
    given: dict[str, Any]
    if endpoint.has_body:
        _refuse_query(request)
        given = _object(await _read_body(request, body_limit))
        _refuse_path_fields(given, endpoint)
    else:
        given = _query(request, endpoint)
    if endpoint.is_decision:
        _expect_version(request, given)
    given |= request.path_params
    if endpoint.credential_field is not None:
        given[endpoint.credential_field] = credential
    return parse(endpoint.takes, given)


def idempotency_key(request: Request) -> str | None:
    """Returns the request id that the caller chose, where one is given; 1..255 visible ASCII characters."""
    values = request.headers.getlist("idempotency-key")
    if not values or request.method != "POST":
        return None
    if len(values) > 1 or re.fullmatch(IDEMPOTENCY_KEY, values[0]) is None:
        raise InvalidArgument("IDEMPOTENCY_KEY_INVALID", "An Idempotency-Key is 1 to 255 visible ASCII characters.")
    return values[0]


def language(request: Request) -> str | None:
    """Returns the first language that the caller accepts (RFC 9110, `Accept-Language`), in which refusals are told."""
    first = request.headers.get("accept-language", "").split(",")[0].partition(";")[0].strip()
    return first if first.isascii() and first.replace("-", "").isalnum() else None


async def _read_body(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared == "0" and "transfer-encoding" not in request.headers:
        return b""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    return await read_body(request.stream(), declared=declared, limit=limit)


def _object(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        given = loads(body)
    except InvalidArgument as refused:
        if any(error.code == "not_json" for error in refused.errors):
            raise HTTPException(HTTPStatus.BAD_REQUEST, detail=str(refused)) from refused
        raise
    if not isinstance(given, dict):
        raise _refused("", "wrong_type", "The body must be a JSON object.")
    return given


def _refuse_path_fields(given: dict[str, Any], endpoint: Endpoint) -> None:
    named = [name for name in given if name not in endpoint.open_fields and name in endpoint.takes.model_fields]
    if named:
        raise _refused(named[0], "unknown_field", "This is part of the path and not of the body.")


def _refuse_query(request: Request) -> None:
    if request.query_params:
        raise _refused(next(iter(request.query_params)), "unknown_field", "There is no such query parameter.")


def _query(request: Request, endpoint: Endpoint) -> dict[str, Any]:
    """Returns the query as JSON values: a number of the message is one afterwards, and a list a list."""
    pairs = request.query_params.multi_items()
    names = [name for name, _ in pairs]
    for name in names:
        if name not in endpoint.open_fields:
            raise _refused(name, "unknown_field", "There is no such query parameter.")
        if not _takes_many(endpoint, name) and names.count(name) > 1:
            raise _refused(name, "duplicate_key", "This query parameter is given twice.")
    stand_ins = dict.fromkeys(endpoint.takes.model_fields.keys() - endpoint.open_fields.keys(), "-")
    try:
        single = {name: value for name, value in pairs if not _takes_many(endpoint, name)}
        read = endpoint.takes.model_validate_strings({**single, **stand_ins})
    except ValidationError as refused:
        raise to_invalid_argument(refused) from refused
    for name, value in pairs:
        if isinstance(getattr(read, name), datetime) and "T" not in value.upper():  # else a bare number would be one
            raise _refused(name, "wrong_type", "Give a time such as 2030-01-31T12:00:00Z.")
    many = {name: request.query_params.getlist(name) for name in names if name not in single}
    return read.model_dump(mode="json", include=set(single)) | many


def _takes_many(endpoint: Endpoint, name: str) -> bool:
    """Returns whether a query parameter may be given again for each of its values."""
    return get_origin(endpoint.open_fields[name].annotation) is list


def _expect_version(request: Request, given: dict[str, Any]) -> None:
    """Takes the version that `If-Match` names; a tag that no resource ever had stands for no version."""
    header = request.headers.get("if-match")
    if header is None or header.strip() == "*":
        return
    tag = re.fullmatch(ENTITY_TAG, header.strip())
    if tag is None:
        raise InvalidArgument("IF_MATCH_INVALID", 'If-Match takes one entity tag as it was given, such as "3", or *.')
    version = int(tag[2]) if tag[1] is None and re.fullmatch(r"0|[1-9][0-9]{0,8}", tag[2]) else NO_VERSION
    if given.get("version") not in (None, version):
        raise _refused("version", "contradiction", "This is not the version that If-Match names.")
    given["version"] = version


def _refused(path: str, code: str, message: str) -> InvalidArgument:
    where = f"{path}: " if path else ""
    return InvalidArgument("REQUEST_INVALID", f"{where}{message}", errors=[FieldError(path, code, message)])
