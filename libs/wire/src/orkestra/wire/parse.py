"""How a door reads what came from outside."""

from typing import Any, TypeVar

from orkestra.wire.errors import InvalidArgument
from orkestra.wire.jsontext import check_json, dumps, loads
from orkestra.wire.problems import to_invalid_argument
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], given: Any, *, path_prefix: str = "") -> M:
    """Read JSON text (str or bytes) or an already decoded JSON value into `model`, strictly.

    Refuses (InvalidArgument REQUEST_INVALID) everything at once: unknown fields, wrong types, missing fields; and text
    that `loads` refuses. Integers in open JSON stay exact. Paths in the refusal lead through `path_prefix`.
    """
    try:
        return model.model_validate_json(_text(given), strict=True, extra="forbid")
    except InvalidArgument as exc:
        raise exc.at(path_prefix) from exc
    except ValidationError as exc:
        raise to_invalid_argument(exc, path_prefix=path_prefix) from exc


def _text(given: Any) -> str | bytes:
    if isinstance(given, str | bytes):
        loads(given)
        return given
    check_json(given)
    return dumps(given)
