"""What schemathesis checks besides its own checks; it loads this module by SCHEMATHESIS_HOOKS."""

from typing import Any

import schemathesis
from schemathesis import GenerationMode

SHAPE = {"unknown_field", "missing", "duplicate_key"}
"""Codes of what the shape of a request is refused for; whether a value makes sense no schema can say, and 3.0 is a
whole number to a schema but not to us."""


@schemathesis.check
def takes_what_its_document_allows(
    _: schemathesis.CheckContext, response: schemathesis.Response, case: "schemathesis.Case[Any]"
) -> None:
    """The door refuses no request for its shape that its own document allows."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE or response.status_code != 422:
        return
    problem = response.json()
    wrong = [error for error in problem["errors"] if error["code"] in SHAPE]
    assert problem["code"] != "REQUEST_INVALID" or not wrong, wrong
