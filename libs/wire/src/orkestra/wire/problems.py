"""What a model refuses, as field errors with stable codes and plain sentences."""

from typing import Any

from orkestra.wire.errors import FieldError, InvalidArgument, join_path
from pydantic import ValidationError
from pydantic_core import ErrorDetails

CODES = {
    "missing": ("required", "This field is required."),
    "extra_forbidden": ("unknown_field", "There is no such field."),
    "string_type": ("wrong_type", "This must be text."),
    "string_unicode": ("invalid_text", "This is not valid Unicode text."),
    "int_type": ("wrong_type", "This must be a whole number."),
    "int_from_float": ("wrong_type", "This must be a whole number."),
    "int_parsing": ("wrong_type", "This must be a whole number."),
    "int_parsing_size": ("out_of_range", "This number is too long."),
    "float_type": ("wrong_type", "This must be a number."),
    "float_parsing": ("wrong_type", "This must be a number."),
    "finite_number": ("not_finite", "This must be a finite number."),
    "bool_type": ("wrong_type", "This must be true or false."),
    "bool_parsing": ("wrong_type", "This must be true or false."),
    "list_type": ("wrong_type", "This must be a list."),
    "dict_type": ("wrong_type", "This must be an object."),
    "model_type": ("wrong_type", "This must be an object."),
    "model_attributes_type": ("wrong_type", "This must be an object."),
    "none_required": ("wrong_type", "This must be null."),
    "datetime_type": ("wrong_type", "This must be a time as text, such as 2030-01-31T12:00:00Z."),
    "datetime_parsing": ("invalid_format", "This must be a time as in RFC 3339, such as 2030-01-31T12:00:00Z."),
    "datetime_from_date_parsing": (
        "invalid_format",
        "This must be a time as in RFC 3339, such as 2030-01-31T12:00:00Z.",
    ),
    "time_out_of_range": ("out_of_range", "This time is not within the years 1 to 9999 in UTC."),
    "timezone_aware": ("invalid_format", "This time needs a zone, such as Z or +02:00."),
    "time_delta_type": ("wrong_type", "This must be a duration as text, such as PT15M."),
    "time_delta_parsing": ("invalid_format", "This must be a duration as in ISO 8601, such as PT15M."),
}
TEMPLATES = {
    "greater_than_equal": ("out_of_range", "This must be at least {ge}."),
    "greater_than": ("out_of_range", "This must be more than {gt}."),
    "less_than_equal": ("out_of_range", "This must be at most {le}."),
    "less_than": ("out_of_range", "This must be less than {lt}."),
    "enum": ("not_one_of", "This must be one of {expected}."),
    "literal_error": ("not_one_of", "This must be one of {expected}."),
    "string_too_short": ("too_short", "This needs at least {min_length} characters."),
    "string_too_long": ("too_long", "This has more than {max_length} characters."),
    "string_pattern_mismatch": ("invalid_format", "This does not match {pattern}."),
    "too_short": ("too_short", "This needs at least {min_length} entries."),
    "too_long": ("too_long", "This has more than {max_length} entries."),
}


MOST = 200
"""How many field errors a refusal names."""


def to_invalid_argument(exc: ValidationError, *, path_prefix: str = "") -> InvalidArgument:
    """Turn what Pydantic found into one InvalidArgument REQUEST_INVALID, one field error each of the first 200."""
    errors = exc.errors(include_url=False, include_input=False)
    found = [_field_error(error, path_prefix) for error in errors[:MOST]]
    first = found[0]
    where = f"{first.path}: " if first.path else ""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return InvalidArgument("REQUEST_INVALID", f"{where}{first.message}{more}", errors=found)


def _field_error(error: ErrorDetails, path_prefix: str) -> FieldError:
    code, message = _code_and_message(error["type"], error.get("ctx", {}), error["msg"])
    return FieldError(_path(error["loc"], path_prefix), code, message)


def _code_and_message(kind: str, context: dict[str, Any], fallback: str) -> tuple[str, str]:
    if kind in CODES:
        return CODES[kind]
    if kind in TEMPLATES:
        code, template = TEMPLATES[kind]
        return code, template.format(**context)
    return "invalid", f"{fallback}."


def _path(loc: tuple[int | str, ...], prefix: str) -> str:
    path = prefix
    for step in loc:
        path = join_path(path, f"[{step}]" if isinstance(step, int) else step)
    return path
