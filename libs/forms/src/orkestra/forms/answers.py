"""What the values of a Form are in Python where they have several parts."""

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_serializer


def _is(kind: str) -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", json_schema_extra={"x-orkestra": {"type": kind}})


class Money(BaseModel):
    """An amount, exact, in an ISO 4217 currency."""

    model_config = _is("money")
    amount: Decimal
    currency: str

    @field_serializer("amount")
    def _as_text(self, amount: Decimal) -> str:
        return f"{amount:f}"


class DateRange(BaseModel):
    """Two days and what lies between; the end is not before the start."""

    model_config = _is("date_range")
    start: date
    end: date


class Signature(BaseModel):
    """A typed name and its attestation."""

    model_config = _is("signature")
    name: str
    attest: Literal[True]


class Attachment(BaseModel):
    """A file that was attached to the task."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    attachment_id: str
    name: str
    media_type: str
    size: int


Json = Any
"""Any JSON value: the annotation of a `json` field."""
