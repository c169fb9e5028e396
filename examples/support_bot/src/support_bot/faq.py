"""What the agent knows, and how sure it is: the share of a question's words that an entry explains."""

import re
from dataclasses import dataclass

ENTRIES = {
    "How long does delivery take?": "Two to four working days.",
    "How can I track my parcel?": "With the link in the e-mail that says it was sent.",
    "Which payment methods do you accept?": "Card, bank transfer and invoice.",
}
SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "can",
        "could",
        "do",
        "does",
        "for",
        "how",
        "i",
        "in",
        "is",
        "it",
        "may",
        "my",
        "of",
        "on",
        "the",
        "to",
        "what",
        "when",
        "which",
        "you",
    ]
)


@dataclass(frozen=True)
class Guess:
    """The best answer that the agent has, and how sure it is of it (0..1)."""

    answer: str
    confidence: float


def guess(question: str) -> Guess:
    """Return the answer of the entry that fits best; the confidence is the share of words that both have."""
    return max((_score(question, entry) for entry in ENTRIES), key=lambda one: one.confidence)


def _score(question: str, entry: str) -> Guess:
    asked, known = _words(question), _words(entry)
    shared = len(asked & known) / len(asked | known) if asked | known else 0.0
    return Guess(ENTRIES[entry], round(shared, 2))


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", text.lower())) - SMALL_WORDS
