"""A posted form as the answer that task-service checks: text becomes the JSON that each field's schema speaks of."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orkestra.dashboard.routes.kinds import DISPLAY, HINTS, MOST_ROWS, Unread, moment_text
from orkestra.forms import Invalid, validate
from orkestra.forms.messages import text as sentence
from orkestra.wire import Error, FieldError, dumps, loads

Posted = Mapping[str, list[str]]
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_INTEGER = re.compile(r"-?(0|[1-9]\d*)")


class Reader:
    """Reads one posted form. What is not of its type stays text, so that the room refuses it by name."""

    def __init__(self, posted: Posted, zone: ZoneInfo, *, language: str = "en") -> None:
        self._posted = posted
        self._language = language
        self._zone = _zone(posted, zone)
        self.problems: list[FieldError] = []

    def read(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the answer; an empty field is null where leaving it out would bring its default back."""
        self.problems += self._unknown(schema)
        return self._level(schema, "data")

    def all_problems(self, schema: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[FieldError, ...]:
        """Returns what could not be read, and what else is wrong beside it."""
        known = {problem.path for problem in self.problems}
        outcome = (self._posted.get("outcome") or [""])[-1] or None
        try:
            validate(schema, loads(dumps(data)), outcome, locale=self._language)
        except Invalid as invalid:
            others = [each if each.path == "outcome" else each.under("data") for each in invalid.problems]
            more = (FieldError(each.path, each.code, each.message) for each in others)
            return (*self.problems, *(each for each in more if each.path not in known))
        return tuple(self.problems)

    def _unknown(self, schema: Mapping[str, Any]) -> Iterator[FieldError]:
        """What no page of ours has posted: a name that the form does not have."""
        posted = {name.split(".")[1] for name in self._posted if name.startswith("data.")}
        for name in sorted(posted - schema["properties"].keys()):
            yield FieldError(f"data.{name}", "unknown_field", sentence("unknown_field", self._language))

    def _level(self, schema: Mapping[str, Any], path: str) -> dict[str, Any]:
        values = {}
        for name, inner in schema["properties"].items():
            if inner[HINTS]["type"] in DISPLAY or inner.get("readOnly"):
                continue
            value = self._value(inner, f"{path}.{name}")
            if value is not None or ("default" in inner and path == "data"):
                values[name] = value
        return values

    def _value(self, schema: Mapping[str, Any], name: str) -> Any:  # noqa: PLR0911  one return for each kind
        match schema[HINTS]["type"]:
            case "boolean":
                return self._boolean(name)
            case "select" | "radio":
                text = self._text(name)
                return None if text is None else _option(schema, text)
            case "multiselect" | "checkboxes":
                chosen = [text for text in self._posted.get(name, []) if text]
                return [_option(schema["items"], text) for text in chosen] or None
            case "money" | "date_range":
                return self._parts(schema, name)
            case "signature":
                return self._signature(name)
            case "file":
                ids = dict.fromkeys(text for text in self._posted.get(name, []) if text)
                return [{"attachment_id": one} for one in ids] or None
            case "group":
                values = self._level(schema, name)
                return values if _says_something(schema, values) else None
            case "table":
                return list(self._rows(schema, name)) or None
        return self._single(schema, name)

    def _single(self, schema: Mapping[str, Any], name: str) -> Any:
        text = self._text(name)
        if text is None:
            return None
        match schema[HINTS]["type"]:
            case "integer" | "rating":
                return int(text) if _INTEGER.fullmatch(text) and len(text) < 400 else text
            case "number" | "slider":
                return loads(text) if _NUMBER.fullmatch(text) and len(text) < 300 else text
            case "datetime":
                return self._moment(text, self._text(f"{name}.given"))
            case "json":
                return self._json(text, name)
        return text

    def _text(self, name: str) -> str | None:
        text = (self._posted.get(name) or [""])[-1].replace("\r\n", "\n")
        return text if text.strip() else None

    def _boolean(self, name: str) -> bool | None:
        text = self._text(name)
        if text is None:
            return False if f"{name}.shown" in self._posted else None
        return text == "true"

    def _parts(self, schema: Mapping[str, Any], name: str) -> dict[str, str] | None:
        parts = {key: self._text(f"{name}.{key}") or "" for key in schema["properties"]}
        said = {key: value for key, value in parts.items() if key != "currency"}
        return parts if any(said.values()) else None

    def _signature(self, name: str) -> dict[str, Any] | None:
        signer, attest = self._text(f"{name}.name"), self._text(f"{name}.attest") is not None
        return {"name": signer or "", "attest": attest} if signer or attest else None

    def _moment(self, text: str, given: str | None) -> str:
        """Returns the moment in the person's zone; one that was not touched stays as exact as it was."""
        if given is not None and moment_text(given, self._zone) == text:
            return given
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return text
        local = at if at.tzinfo else at.replace(tzinfo=self._zone)
        offset = local.utcoffset() or timedelta()
        if not offset.seconds % 60:
            return local.isoformat()
        try:
            return local.astimezone(UTC).isoformat()  # old local times are not RFC 3339
        except OverflowError:
            return text

    def _json(self, text: str, name: str) -> Any:
        try:
            return loads(text)
        except Error as refused:
            told = f"This is not JSON: {refused}" if self._language == "en" else sentence("not_json", self._language)
            self.problems.append(FieldError(name, "not_json", told))
            return Unread(text)

    def _rows(self, schema: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
        start = f"{name}."
        positions = {key.removeprefix(start).partition(".")[0] for key in self._posted if key.startswith(start)}
        for position in sorted(int(each) for each in positions if each.isdecimal() and len(each) < 6)[:MOST_ROWS]:
            row = self._level(schema["items"], f"{name}.{position}")
            if _says_something(schema["items"], row):
                yield row


def with_row(data: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    """Returns an answer with one more empty row in the table `name`."""
    rows = data.get(name) if name else None
    return {**data, name: [*(rows if isinstance(rows, list) else [{}]), {}]} if name else dict(data)


def without_row(posted: Posted, place: str | None) -> Posted:
    """Returns a posted form without the row at a place such as rows.2."""
    return (
        {name: values for name, values in posted.items() if not name.startswith(f"data.{place}.")} if place else posted
    )


def _option(schema: Mapping[str, Any], text: str) -> Any:
    """Returns the option that is shown as `text`, which may be a number."""
    choices = [each["const"] for each in schema.get("oneOf", [])] or schema.get("enum", [])
    return next((each for each in choices if str(each) == text), text)


def _says_something(schema: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether anything was given within a group or a row; a box that was left as it was says nothing."""
    fields = schema["properties"]
    return any(
        not isinstance(value, bool) or value is not fields[name].get("default", False) for name, value in values.items()
    )


def _zone(posted: Posted, zone: ZoneInfo) -> ZoneInfo:
    try:
        return ZoneInfo((posted.get("zone") or [""])[-1]) if posted.get("zone") else zone
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return zone
