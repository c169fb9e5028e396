"""How far the confidence of agents holds: how often people kept their drafts, and from where on they may be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from orkestra.v1.task import ConfidenceBand

ENOUGH: Final = 50
"""Fewer answered drafts than this suggest nothing."""
TARGET: Final = 0.9
_Z: Final = 1.959963984540054
"""The 97.5th percentile of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Of the drafts with one confidence, in hundredths, how many were answered and how many people kept."""

    confidence: int
    answered: int
    kept: int


def wilson_lower(kept: int, answered: int) -> float:
    """Returns the lower end of the 95 % Wilson score interval of a share (E. B. Wilson, 1927); 0 where nothing was."""
    if not answered:
        return 0.0
    share, square = kept / answered, _Z * _Z
    middle = share + square / (2 * answered)
    spread = _Z * sqrt(share * (1 - share) / answered + square / (4 * answered * answered))
    return max(0.0, (middle - spread) / (1 + square / answered))


def is_enough(counts: Sequence[Kept]) -> bool:
    """Whether there are drafts enough to suggest anything."""
    return sum(one.answered for one in counts) >= ENOUGH


def suggested_threshold(counts: Sequence[Kept], target: float) -> float | None:
    """Returns the lowest confidence from which on people keep at least the target share of drafts, None where none is.

    What is held against the target is the lower end of the interval over all drafts of that confidence and above.
    """
    if not is_enough(counts):
        return None
    found, answered, kept = None, 0, 0
    for one in sorted(counts, key=lambda one: one.confidence, reverse=True):
        answered, kept = answered + one.answered, kept + one.kept
        if wilson_lower(kept, answered) >= target:
            found = one.confidence / 100
    return found


def bands(counts: Sequence[Kept]) -> list[ConfidenceBand]:
    """Returns the counts by tenths of confidence, the lowest first; the last includes 1."""
    tenths = sorted({min(one.confidence // 10, 9) for one in counts})
    found = []
    for tenth in tenths:
        within = [one for one in counts if min(one.confidence // 10, 9) == tenth]
        answered, kept = sum(one.answered for one in within), sum(one.kept for one in within)
        found.append(ConfidenceBand(at_least=tenth / 10, answered=answered, kept=kept, kept_rate=kept / answered))
    return found
