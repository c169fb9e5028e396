"""The JSON Schema engine: 2020-12, linear patterns, nothing ever fetched."""

from collections.abc import Mapping
from typing import Any, Final, NoReturn

import jsonschema_rs

_PATTERNS: Final = jsonschema_rs.RegexOptions(size_limit=300_000, dfa_size_limit=1_000_000)
_EMAIL: Final = jsonschema_rs.EmailOptions(allow_display_text=False, allow_domain_literal=False)


def engine(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Compiles a schema that has been checked. Raises ValueError where it cannot be compiled."""
    return jsonschema_rs.Draft202012Validator(
        dict(schema), retriever=_deny, validate_formats=True, pattern_options=_PATTERNS, email_options=_EMAIL
    )


def _deny(uri: str) -> NoReturn:
    raise ValueError(f"A schema refers to nothing outside itself, but names {uri}.")
