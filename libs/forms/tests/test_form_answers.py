"""Answers as Python values: typed, exact, and the same JSON when they are written again."""

from datetime import date
from decimal import Decimal
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from orkestra.forms import (
    Attachment,
    DateRange,
    Form,
    Json,
    Money,
    Signature,
    data,
    date_,
    date_range,
    diff,
    file_,
    group_picker,
    heading,
    image,
    json_,
    link,
    money,
    note,
    outcome,
    schema_of,
    select,
    signature,
    table,
    text,
    user_,
    validate,
)


class Line(Form):
    what: str = text(required=True)
    price: Money = money(required=True, currencies=["EUR"])


class Claim(Form, outcomes=[outcome("pay"), outcome("refuse", require=["why"])]):
    about: None = heading("The claim")
    policy: None = note("At most **500 EUR**.", visible_when={"field": "kind", "equals": "travel"})
    order: None = data([{"item": "Headset"}])
    change: None = diff("30 days", "14 days")
    shop: None = link("https://example.com", text="Shop")
    photo: None = image("https://example.com/a.png", alt="Photo")
    kind: Literal["travel", "meal"] = select(required=True)
    total: Money = money(required=True)
    stay: DateRange | None = date_range()
    bought: date | None = date_()
    signed: Signature | None = signature()
    expert: str | None = user_()
    team: str | None = group_picker()
    proof: list[Attachment] | None = file_(accept=[".pdf"])
    lines: list[Line] | None = table()
    why: str | None = text()
    extra: Json = json_()


ANSWER = {
    "kind": "travel",
    "total": {"amount": "12345678901234567.50", "currency": "EUR"},
    "stay": {"start": "2026-12-01", "end": "2026-12-03"},
    "bought": "2026-11-02",
    "signed": {"name": "Ana", "attest": True},
    "expert": f"user_{'0' * 32}",
    "team": "finance",
    "proof": [{"attachment_id": f"attachment_{'0' * 32}", "name": "a.pdf", "media_type": "application/pdf", "size": 1}],
    "lines": [{"what": "Train", "price": {"amount": "80.00", "currency": "EUR"}}],
    "extra": {"n": 2**70, "x": [1, 1.0]},
}


def test_an_answer_becomes_the_class_that_asked_and_the_same_json_again() -> None:
    kept = validate(schema_of(Claim), ANSWER, "pay")
    answer = Claim.model_validate(kept)
    assert answer.total == Money(amount=Decimal("12345678901234567.50"), currency="EUR")
    assert answer.stay == DateRange(start=date(2026, 12, 1), end=date(2026, 12, 3))
    assert answer.lines == [Line(what="Train", price=Money(amount=Decimal("80.00"), currency="EUR"))]
    assert answer.why is None
    again = answer.model_dump(mode="json", exclude_none=True)
    assert repr(again) == repr({name: kept[name] for name in again})
    assert validate(schema_of(Claim), again, "pay") == kept


def test_what_is_only_shown_is_declared_in_a_class_and_is_in_no_answer() -> None:
    properties = schema_of(Claim)["properties"]
    kinds = [properties[name]["x-orkestra"]["type"] for name in ("about", "policy", "order", "change", "shop", "photo")]
    assert kinds == ["heading", "note", "data", "diff", "link", "image"]
    assert "policy" not in validate(schema_of(Claim), ANSWER, "pay")


@settings(max_examples=100, deadline=None)
@given(st.decimals(Decimal("-1e15"), Decimal("1e15"), places=2, allow_nan=False, allow_infinity=False))
def test_money_is_exact_on_the_whole_way(amount: Decimal) -> None:
    written = f"{amount:f}"
    kept = validate(schema_of(Line), {"what": "x", "price": {"amount": written, "currency": "EUR"}})
    line = Line.model_validate(kept)
    assert line.price.amount == amount
    assert line.model_dump(mode="json") == {"what": "x", "price": {"amount": written, "currency": "EUR"}}
