"""Forms as Python classes: what a workflow author writes."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import GenerateJsonSchema


class _Around(NamedTuple):
    outcomes: tuple[Mapping[str, Any], ...] = ()
    rules: tuple[Mapping[str, Any], ...] = ()
    locales: Mapping[str, Any] = {}


class _WithoutTitles(GenerateJsonSchema):
    """Leaves labels to the form: only those that an author wrote are titles."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


class Form(BaseModel):
    """A form whose answer is typed: `class Reply(Form): answer: str = textarea(required=True)`.

    Class arguments add what belongs to the whole: `class Decision(Form, outcomes=[outcome("approve")])`.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    _around: ClassVar[_Around] = _Around()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**{key: kwargs[key] for key in kwargs if key not in _Around._fields})

    @classmethod
    def __pydantic_init_subclass__(
        cls,
        *,
        outcomes: Sequence[Mapping[str, Any]] | None = None,
        rules: Sequence[Mapping[str, Any]] | None = None,
        locales: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        above = cls._around
        cls._around = _Around(
            above.outcomes if outcomes is None else tuple(outcomes),
            above.rules if rules is None else tuple(rules),
            above.locales if locales is None else locales,
        )

    @classmethod
    def model_form(cls) -> dict[str, Any]:
        """Returns the class as a JSON Schema with hints, not yet checked; `schema_of` checks it."""
        schema = cls.model_json_schema(schema_generator=_WithoutTitles, by_alias=False)
        for each in (schema, *schema.get("$defs", {}).values()):  # a class's name and docstring are for developers
            each.pop("title", None)
            each.pop("description", None)
        around = cls._around
        parts = {"outcomes": list(around.outcomes), "rules": list(around.rules), "locales": dict(around.locales)}
        return {**schema, "x-orkestra": {key: value for key, value in parts.items() if value}}
