"""Whether a history is what was written: its chain of digests, and the signatures of its tips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orkestra.v1.task import HistoryFault, HistoryFaultKind, HistoryVerification


@dataclass(frozen=True, slots=True)
class Link:
    """One entry as it was found, and what was recomputed of it."""

    sequence: int
    digest: str | None
    previous: str | None
    is_whole: bool
    """Whether its digest is over what it says, its content's digest, and `previous`."""
    is_content_whole: bool
    is_erased: bool
    """Whether it has no content any more."""
    is_signed: bool | None
    """Whether its signature holds; None where it has none."""


def verify(task_id: str, links: Sequence[Link], *, length: int) -> HistoryVerification:
    """Returns what is wrong with the entries found, in order, of a history that should have `length` of them."""
    faults = sorted({*_missing(links, length), *_altered(links)})
    return HistoryVerification(
        task_id=task_id,
        intact=not faults,
        entries=length,
        signed_up_to=max((link.sequence for link in links if link.is_signed), default=0),
        faults=[HistoryFault(sequence=sequence, kind=HistoryFaultKind(kind)) for sequence, kind in faults],
        erased=[link.sequence for link in links if link.is_erased and not link.is_content_whole],
    )


def _missing(links: Sequence[Link], length: int) -> Iterator[tuple[int, str]]:
    found = {link.sequence for link in links}
    last = max(length, *found) if found else length
    for sequence in range(1, last + 1):
        if sequence not in found:
            yield sequence, HistoryFaultKind.MISSING.value


def _altered(links: Sequence[Link]) -> Iterator[tuple[int, str]]:
    """Yields each entry that does not fit itself, its signature, or what the entry after it says of it."""
    told = {link.sequence - 1: link.previous for link in links}
    for link in links:
        fits_next = told.get(link.sequence, link.digest) == link.digest
        is_kept = link.is_content_whole or link.is_erased
        if not (link.is_whole and is_kept and fits_next and link.is_signed is not False):
            yield link.sequence, HistoryFaultKind.ALTERED.value
