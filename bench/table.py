"""The rows of the table: what was measured, beside its floor and its target."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement, and what of it is held against the target."""

    label: str
    floor: float | None
    measured: float
    compared: float
    sign: str
    target: float
    unit: str = ""
    """What of the comparison the target speaks of: ` x` the floor, ` more` than it, or nothing: the figure itself."""

    @property
    def is_met(self) -> bool:
        """Whether the target is met."""
        return self.compared <= self.target if self.sign == "≤" else self.compared >= self.target


def ratio(label: str, floor: float, measured: float, sign: str, target: float) -> Row:
    """Return the row of a target that is a ratio to the floor."""
    return Row(label, floor, measured, measured / floor, sign, target, " x")


def difference(label: str, pair: tuple[float, float], sign: str, target: float) -> Row:
    """Return the row of a target that is what comes on top of the floor; `pair` is the floor and what was measured."""
    floor, measured = pair
    return Row(label, floor, measured, measured - floor, sign, target, " more")


def figure(label: str, measured: float, sign: str, target: float, *, floor: float | None = None) -> Row:
    """Return the row of a target that is a figure by itself."""
    return Row(label, floor, measured, measured, sign, target)


def rendered(rows: Iterable[Row]) -> str:
    """Render rows with ratios to their floors."""
    lines = [f"{'':58}{'floor':>10}{'Orkestra':>10}{'ratio':>8}   target"]
    for row in rows:
        floor = "-" if row.floor is None else f"{row.floor:.1f}"
        compared = "-" if row.floor is None else f"{row.measured / row.floor:.2f}"
        verdict = f"{row.sign} {row.target:g}{row.unit} {'met' if row.is_met else 'MISSED'}"
        lines.append(f"{row.label:58}{floor:>10}{row.measured:10.1f}{compared:>8}   {verdict}")
    return "\n".join(lines)
