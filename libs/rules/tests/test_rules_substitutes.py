"""Whose place a person takes: chains, circles and types of tasks."""

from hypothesis import given
from hypothesis import strategies as st
from orkestra.rules import Absence, places_of, substitutes_of

NAMES = ["ana", "ben", "cem", "dea", "eve"]


def away(person: str, substitute: str, *types: str) -> Absence:
    return Absence(person, substitute, frozenset(types))


def test_a_chain_leads_to_whoever_is_there() -> None:
    chain = [away("ana", "ben"), away("ben", "cem")]
    assert places_of("cem", chain) == {("ana", None), ("ben", None)}
    assert places_of("ben", chain) == {("ana", None)}
    assert places_of("ana", chain) == frozenset()


def test_a_type_is_covered_all_along_or_not_at_all() -> None:
    chain = [away("ana", "ben", "refund", "reply"), away("ben", "cem", "refund")]
    assert places_of("cem", chain) == {("ana", "refund"), ("ben", "refund")}
    assert places_of("ben", chain) == {("ana", "refund"), ("ana", "reply")}
    assert places_of("cem", [away("ana", "ben", "reply"), away("ben", "cem", "refund")]) == {("ben", "refund")}


def test_a_circle_is_walked_once_and_nobody_takes_their_own_place() -> None:
    circle = [away("ana", "ben"), away("ben", "cem"), away("cem", "ana")]
    assert places_of("ana", circle) == {("ben", None), ("cem", None)}
    assert places_of("dea", [*circle, away("eve", "ana")]) == frozenset()


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=8), st.sampled_from(NAMES))
def test_it_ends_for_any_substitutes_and_names_only_who_is_away(links: list[tuple[str, str]], subject: str) -> None:
    found = places_of(subject, [away(*link) for link in links if link[0] != link[1]])
    assert {person for person, _ in found} <= {person for person, _ in links} - {subject}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from([(), ("refund",), ("reply", "refund")])
        ),
        max_size=8,
    ),
    st.sampled_from(NAMES),
    st.sampled_from(["refund", "reply", None]),
)
def test_who_takes_a_persons_place_is_whoever_finds_that_place_theirs(
    links: list[tuple[str, str, tuple[str, ...]]], person: str, task_type: str | None
) -> None:
    absences = [away(who, by, *types) for who, by, types in links if who != by]
    standing = {name for name in NAMES if {(person, None), (person, task_type)} & places_of(name, absences)}
    assert substitutes_of([person], task_type, absences) == standing
