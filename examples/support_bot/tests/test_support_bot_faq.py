"""What the agent knows, and how sure it says it is."""

import pytest
from support_bot.faq import ENTRIES, guess


@pytest.mark.parametrize("question", ENTRIES)
def test_it_is_sure_of_its_own_questions(question: str) -> None:
    assert guess(question).answer == ENTRIES[question]
    assert guess(question).confidence == 1.0


def test_it_is_not_sure_of_what_it_never_heard_of() -> None:
    assert guess("I opened the box of my headset. May I still return it?").confidence < 0.2


def test_it_is_half_sure_of_half_a_question() -> None:
    half = guess("How long does shipping by delivery van take?")
    assert half.answer == "Two to four working days."
    assert 0.3 < half.confidence < 0.8


def test_a_question_without_a_word_gives_no_confidence() -> None:
    assert guess("?").confidence == 0
