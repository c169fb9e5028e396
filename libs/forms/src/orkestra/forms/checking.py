"""Turns a form, written in any of the three ways, into the one schema that everything else reads."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final
from weakref import WeakKeyDictionary

from orkestra.forms.authoring import Form
from orkestra.forms.compiling import HINTS, Compiler
from orkestra.forms.conditions import check_condition
from orkestra.forms.engine import engine
from orkestra.forms.json_values import not_json, size
from orkestra.forms.keys import in_words
from orkestra.forms.problems import Invalid, Problem, join
from orkestra.forms.schema_form import SchemaReader, is_schema
from orkestra.forms.validating import wrong_defaults

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MAX_SIZE: Final = 64 * 1024
FREE_TEXT: Final[Mapping[str, Any]] = {"answer": {"type": "textarea", "required": True, "max_length": 65_536}}
STYLES: Final = ("primary", "secondary", "danger")
_KEYS: Final = frozenset({"version", "title", "description", "fields", "outcomes", "rules", "locales"})
_MAX_PARTS: Final = 50
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{1,8})*")
_schemas: Final = WeakKeyDictionary[type[Form], dict[str, Any]]()


def check(form: Any, context: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns the schema of a form: its short form, its long form, a JSON Schema, or None for one required `answer`.

    `context` is the task's context; given, it resolves `options_from`. The result checks to itself. Raises
    Invalid with every problem: at most 200 fields, 64 KiB and 32 levels, nothing outside the document, no slow pattern.
    """
    if form is None:
        form = FREE_TEXT
    if isinstance(form, type) and issubclass(form, Form):
        form = form.model_form()
    if not isinstance(form, dict):
        raise Invalid([Problem("", "form_invalid", "A form is an object of fields.")])
    problems = not_json(form)
    if problems:
        raise Invalid(problems)
    _refuse_large(form)
    if not is_schema(form):
        return _compile(form, Compiler(context=context), is_short=not _is_long(form))
    reader = SchemaReader(form)
    definition = reader.definition()
    compiler = Compiler(context=context, by_keyword=True, problems=reader.problems)
    return _compile(definition, compiler, is_short=False)


def schema_of(form: type[Form]) -> dict[str, Any]:
    """Returns the schema of a Form class, which is the caller's own; it is worked out once for each class.

    Raises Invalid where the class declares what a form cannot be.
    """
    if form not in _schemas:
        _schemas[form] = check(form)
    return deepcopy(_schemas[form])


def _refuse_large(form: Mapping[str, Any]) -> None:
    if size(form) > MAX_SIZE:
        raise Invalid([Problem("", "form_too_large", "A form has at most 64 KiB.")])


def _is_long(form: Mapping[str, Any]) -> bool:
    """Whether `fields` holds the fields; in the short form it would be a field itself, with a type that is a name."""
    fields = form.get("fields")
    return isinstance(form.get("version"), int) or (
        isinstance(fields, dict) and not isinstance(fields.get("type"), str)
    )


def _compile(form: Mapping[str, Any], compiler: Compiler, *, is_short: bool) -> dict[str, Any]:
    definition = {"fields": form} if is_short else form
    place = "properties" if compiler.by_keyword else "" if is_short else "fields"
    around = HINTS if compiler.by_keyword else ""
    compiled = compiler.compile_fields(definition.get("fields"), place)
    compiler.problems.extend(each.under(around) for each in _check_around(definition))
    if compiler.problems:
        raise Invalid(compiler.problems)
    hint: dict[str, Any] = {"version": 1} | {
        key: definition[key] for key in ("outcomes", "rules", "locales") if definition.get(key)
    }
    words = {key: definition[key] for key in ("title", "description") if key in definition}
    schema = {"$schema": DIALECT, **words, "type": "object", **compiled, "additionalProperties": False, HINTS: hint}
    if "outcomes" in hint:
        hint["outcomes"] = [{**each, "label": each.get("label", in_words(each["key"]))} for each in hint["outcomes"]]
    _refuse_large(schema)
    _check_whole(schema, place, compiler)
    return schema


def _check_whole(schema: Mapping[str, Any], place: str, compiler: Compiler) -> None:
    try:
        engine(schema)
    except ValueError as exc:
        raise Invalid([Problem("", "form_invalid", f"The schema cannot be used: {str(exc).splitlines()[0]}")]) from exc
    for path, sentence in wrong_defaults(schema["properties"], place):
        compiler.refuse(compiler.place(path, "default"), "wrong_value", sentence)
    if compiler.problems:
        raise Invalid(compiler.problems)


def _check_around(form: Mapping[str, Any]) -> Iterator[Problem]:
    for key in form:
        if key not in _KEYS:
            yield Problem(key, "unknown_key", f"A form has no key {key}; it has {', '.join(sorted(_KEYS))}.")
    if form.get("version", 1) != 1 or isinstance(form.get("version"), bool):
        yield Problem("version", "wrong_value", "The version of the form language is 1.")
    for key in ("title", "description"):
        if not isinstance(form.get(key, ""), str):
            yield Problem(key, "wrong_value", f"{key} is a text.")
    found = form.get("fields")
    fields: Mapping[str, Any] = found if isinstance(found, dict) else {}
    yield from _check_outcomes(form.get("outcomes", []), fields)
    yield from _check_rules(form.get("rules", []), fields)
    yield from _check_locales(form.get("locales", {}), form, fields)


def _check_outcomes(outcomes: Any, fields: Mapping[str, Any]) -> Iterator[Problem]:
    if not isinstance(outcomes, list) or len(outcomes) > _MAX_PARTS:
        yield Problem("outcomes", "wrong_value", f"outcomes is a list of at most {_MAX_PARTS}.")
        return
    keys: set[str] = set()
    for position, outcome in enumerate(outcomes):
        path = join("outcomes", position)
        if not isinstance(outcome, dict) or not isinstance(outcome.get("key"), str) or not outcome["key"]:
            yield Problem(
                path, "wrong_value", 'An outcome is an object such as {"key": "approve", "label": "Approve"}.'
            )
            continue
        for key in set(outcome) - {"key", "label", "style", "require"}:
            yield Problem(join(path, key), "unknown_key", f"An outcome has no key {key}.")
        if outcome["key"] in keys:
            yield Problem(join(path, "key"), "duplicate_outcome", f"The outcome {outcome['key']} is given twice.")
        keys.add(outcome["key"])
        if not isinstance(outcome.get("label", ""), str):
            yield Problem(join(path, "label"), "wrong_value", "The label of an outcome is a text.")
        if outcome.get("style", STYLES[0]) not in STYLES:
            yield Problem(join(path, "style"), "wrong_value", f"style is one of {', '.join(STYLES)}.")
        require = outcome.get("require", [])
        if not isinstance(require, list) or not all(isinstance(name, str) and name in fields for name in require):
            yield Problem(join(path, "require"), "unknown_field", "require lists names of fields of the form.")


def _check_rules(rules: Any, fields: Mapping[str, Any]) -> Iterator[Problem]:
    if not isinstance(rules, list) or len(rules) > _MAX_PARTS:
        yield Problem("rules", "wrong_value", f"rules is a list of at most {_MAX_PARTS}.")
        return
    for position, rule in enumerate(rules):
        path = join("rules", position)
        if not isinstance(rule, dict) or not isinstance(rule.get("message"), str) or "check" not in rule:
            yield Problem(path, "wrong_value", "A rule has a check (a condition that must hold) and a message.")
            continue
        for key in set(rule) - {"check", "message", "field"}:
            yield Problem(join(path, key), "unknown_key", f"A rule has no key {key}.")
        if "field" in rule and (not isinstance(rule["field"], str) or rule["field"] not in fields):
            yield Problem(join(path, "field"), "unknown_field", f"There is no field {rule['field']}.")
        yield from check_condition(rule["check"], join(path, "check"), fields)


def _check_locales(locales: Any, form: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[Problem]:
    if not isinstance(locales, dict) or not all(isinstance(texts, dict) for texts in locales.values()):
        yield Problem("locales", "wrong_value", 'locales looks like {"de": {"answer": {"label": "Antwort"}}}.')
        return
    for language, texts in locales.items():
        place = join("locales", language)
        if not _LANGUAGE.fullmatch(language):
            yield Problem(place, "wrong_value", "A language is a tag such as de or pt-BR.")
        for name, words in texts.items():
            path = join(place, name)
            if name in ("$outcomes", "$rules"):
                yield from _check_other_words(name[1:], words, path, form)
            elif name not in fields:
                yield Problem(path, "unknown_field", f"There is no field {name}.")
            elif not isinstance(words, dict) or set(words) - {"label", "help", "placeholder", "options"}:
                yield Problem(path, "wrong_value", "A translation has label, help, placeholder and options.")


def _check_other_words(key: str, words: Any, path: str, form: Mapping[str, Any]) -> Iterator[Problem]:
    if key == "rules":
        rules = form.get("rules", [])
        count = len(rules) if isinstance(rules, list) else 0
        if not isinstance(words, list) or len(words) != count or not all(isinstance(word, str) for word in words):
            yield Problem(path, "wrong_value", "$rules lists one message for each rule.")
    elif not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
        yield Problem(path, "wrong_value", '$outcomes looks like {"approve": "Genehmigen"}.')
