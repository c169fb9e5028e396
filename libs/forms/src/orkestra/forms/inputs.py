"""A workflow's input: any JSON Schema that was registered, with the same safety as a form."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from orkestra.forms.engine import engine
from orkestra.forms.findings import MAX_FINDINGS, engine_findings
from orkestra.forms.json_values import depth, not_json, size
from orkestra.forms.messages import text
from orkestra.forms.problems import Invalid, Problem, path_of
from orkestra.forms.schema_form import local

MAX_SIZE: Final = 64 * 1024
MAX_COST: Final = 20_000
_SAME_VALUE: Final = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")
_ONE_OF_ITS_PARTS: Final = ("properties", "prefixItems")
_ALL_ITS_PARTS: Final = ("items", "contains", "additionalProperties", "propertyNames", "patternProperties")
_MORE_PARTS: Final = ("unevaluatedItems", "unevaluatedProperties")
_OUTSIDE: Final = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary")


def check_schema(schema: Any) -> None:
    """Refuses (Invalid) a JSON Schema that is not one, leaves its document, or could take long to apply.

    At most 64 KiB and 32 levels; only local references; patterns in linear time.
    """
    if not isinstance(schema, dict):
        raise Invalid([Problem("", "schema_invalid", "A schema is an object.")])
    problems = not_json(schema)
    if problems:
        raise Invalid(problems)
    if size(schema) > MAX_SIZE:
        raise Invalid([Problem("", "schema_too_large", "A schema has at most 64 KiB.")])
    problems = list(_references(schema, schema, ()))
    if problems:
        raise Invalid(problems)
    try:
        engine(schema)
    except ValueError as exc:
        raise Invalid([Problem("", "schema_invalid", str(exc).splitlines()[0])]) from exc
    if Cost(schema).of(schema, 1) > MAX_COST:
        raise Invalid([Problem("", "too_complex", text("too_complex", "en"))])


def check_input(schema: Mapping[str, Any], data: Any, *, locale: str = "en") -> None:
    """Refuses (Invalid, every error at once) data that does not fit a schema which `check_schema` has let pass."""
    problems = not_json(data, locale)
    if problems:
        raise Invalid(problems)
    if Cost(schema).of(schema, depth(data) + 1) > MAX_COST:
        raise Invalid([Problem("", "too_complex", text("too_complex", locale))])
    for path, code, limit in engine_findings(engine(schema).iter_errors(data)):
        problems.append(Problem(path_of(path), code, text(code, locale, limit)))
        if len(problems) == MAX_FINDINGS:
            break
    if problems:
        raise Invalid(problems)


def _references(document: Mapping[str, Any], part: Any, path: tuple[str | int, ...]) -> Iterator[Problem]:
    """Looks at every object, even where it is a default or an example: a reference there is refused too."""
    if isinstance(part, list):
        for position, item in enumerate(part):
            yield from _references(document, item, (*path, position))
    if not isinstance(part, dict):
        return
    is_names = bool(path) and path[-1] in (
        "properties",
        "$defs",
        "definitions",
        "patternProperties",
        "dependentSchemas",
    )
    for key, item in part.items():
        here = (*path, key)
        if not is_names and key in _OUTSIDE:
            yield Problem(path_of(here), "unknown_key", f"A schema here has no {key}.")
        elif not is_names and key == "$ref":
            yield from _reference(document, item, here)
        yield from _references(document, item, here)


def _reference(document: Mapping[str, Any], reference: Any, path: tuple[str | int, ...]) -> Iterator[Problem]:
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        sentence = "A $ref stays within the document, such as #/$defs/Address."
        yield Problem(path_of(path), "ref_leaves_document", sentence)
    elif reference != "#" and not isinstance(local(document, reference), dict | bool):
        yield Problem(path_of(path), "ref_unknown", f"There is nothing at {reference}.")


class Cost:
    """Counts, in the worst case, how often parts of a schema are applied along one branch of a value."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._known: dict[tuple[int, int], int] = {}

    def of(self, schema: Any, levels: int) -> int:
        """Returns the count for a value of `levels` levels; more than MAX_COST where references go in a circle."""
        if not isinstance(schema, dict) or levels == 0:
            return 1
        known = self._known.get((id(schema), levels))
        if known is not None:
            return known
        self._known[id(schema), levels] = MAX_COST + 1  # met again on the way: a circle without progress
        cost = 1 + sum(self.of(part, levels) for part in self._same_value(schema))
        cost += sum(
            max((self.of(p, levels - 1) for p in _parts(schema.get(key))), default=0) for key in _ONE_OF_ITS_PARTS
        )
        cost += sum(
            self.of(p, levels - 1) for key in _ALL_ITS_PARTS + _MORE_PARTS for p in _parts(schema.get(key), key)
        )
        cost = min(cost, MAX_COST + 1)
        self._known[id(schema), levels] = cost
        return cost

    def _same_value(self, schema: Mapping[str, Any]) -> Iterator[Any]:
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield self._document if reference == "#" else local(self._document, reference)
        for key in _SAME_VALUE:
            yield from _parts(schema.get(key), key)


def _parts(value: Any, key: str = "properties") -> Iterator[Any]:
    """Yields the schemas below a keyword: its list, its named ones, or the one that it is."""
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict) and key in ("properties", "patternProperties", "dependentSchemas"):
        yield from value.values()
    elif value is not None:
        yield value
