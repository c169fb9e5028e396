"""The JSON Schema engine: 2020-12, linear patterns, nothing ever fetched."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NoReturn

import jsonschema_rs

_PATTERNS: Final = jsonschema_rs.RegexOptions(size_limit=300_000, dfa_size_limit=1_000_000)
_EMAIL: Final = jsonschema_rs.EmailOptions(allow_display_text=False, allow_domain_literal=False)


_KEPT: Final = 64
_LARGEST_KEPT: Final = 16 * 1024


def engine(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Compiles a schema that has been checked, once for the forms that come again and again.

    Raises ValueError where it cannot be compiled.
    """
    text = json.dumps(schema)
    return _kept(text) if len(text) <= _LARGEST_KEPT else _compiled(schema)


@lru_cache(_KEPT)
def _kept(text: str) -> jsonschema_rs.Draft202012Validator:
    return _compiled(json.loads(text))


def _compiled(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        dict(schema), retriever=_deny, validate_formats=True, pattern_options=_PATTERNS, email_options=_EMAIL
    )


def _deny(uri: str) -> NoReturn:
    raise ValueError(f"A schema refers to nothing outside itself, but names {uri}.")
