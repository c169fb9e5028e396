"""What of an answer may be kept or told elsewhere: everything but the values of sensitive fields."""

from collections.abc import Mapping
from typing import Any


def redacted(value: Any, schema: Mapping[str, Any], *, mark: str) -> Any:
    """Returns an answer, or a part of it with its part of the schema, with `mark` for each sensitive value."""
    if schema.get("x-orkestra", {}).get("sensitive") and value is not None:
        return mark
    if isinstance(value, Mapping):
        fields = schema.get("properties", {})
        return {name: redacted(one, fields.get(name, {}), mark=mark) for name, one in value.items()}
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [redacted(one, schema["items"], mark=mark) for one in value]
    return value
