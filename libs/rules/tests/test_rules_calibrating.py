"""How far the confidence of agents holds: the interval, the suggestion, and when there is not enough to say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orkestra.rules.calibrating import Kept, bands, is_enough, suggested_threshold, wilson_lower

COUNTS = st.lists(
    st.integers(0, 100).flatmap(
        lambda confidence: st.integers(1, 60).flatmap(
            lambda answered: st.builds(Kept, st.just(confidence), st.just(answered), st.integers(0, answered))
        )
    ),
    max_size=8,
    unique_by=lambda one: one.confidence,
)


def test_the_interval_is_the_one_of_the_books() -> None:
    assert wilson_lower(0, 0) == 0
    assert wilson_lower(0, 10) == pytest.approx(0, abs=1e-12)
    assert wilson_lower(9, 10) == pytest.approx(0.5958, abs=1e-4)
    assert wilson_lower(50, 50) == pytest.approx(0.9287, abs=1e-4)
    assert wilson_lower(95, 100) == pytest.approx(0.8882, abs=1e-4)


def test_it_suggests_the_lowest_confidence_that_reaches_the_target() -> None:
    counts = [Kept(50, 40, 10), Kept(80, 60, 57), Kept(95, 100, 100)]
    assert suggested_threshold(counts, 0.9) == 0.8
    assert suggested_threshold(counts, 0.97) is None
    assert suggested_threshold(counts, 0.96) == 0.95
    assert suggested_threshold(counts, 0.3) == 0.5


def test_under_fifty_answers_it_suggests_nothing() -> None:
    assert not is_enough([Kept(90, 49, 49)])
    assert suggested_threshold([Kept(90, 49, 49)], 0.1) is None
    assert suggested_threshold([Kept(90, 49, 49), Kept(10, 1, 0)], 0.1) == 0.1


def test_bands_are_tenths_and_the_last_includes_certainty() -> None:
    found = bands([Kept(0, 1, 1), Kept(29, 2, 1), Kept(20, 2, 0), Kept(90, 1, 0), Kept(100, 3, 3)])
    assert [(one.at_least, one.answered, one.kept, one.kept_rate) for one in found] == [
        (0.0, 1, 1, 1.0),
        (0.2, 4, 1, 0.25),
        (0.9, 4, 3, 0.75),
    ]


@given(COUNTS, st.floats(0.05, 0.99))
def test_what_is_suggested_holds_and_nothing_lower_does(counts: list[Kept], target: float) -> None:
    found = suggested_threshold(counts, target)

    def holds(confidence: int) -> bool:
        above = [one for one in counts if one.confidence >= confidence]
        return wilson_lower(sum(one.kept for one in above), sum(one.answered for one in above)) >= target

    reaching = [one.confidence for one in counts if holds(one.confidence)] if is_enough(counts) else []
    assert found == (min(reaching) / 100 if reaching else None)


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_lower_end_lies_below_the_share(kept: int, more: int) -> None:
    answered = kept + more
    assert 0 <= wilson_lower(kept, answered) <= (kept / answered if answered else 0) + 1e-12
