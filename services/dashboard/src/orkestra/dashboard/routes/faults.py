"""What is wrong with a form that was sent: beside its field, and in the summary above with a link to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orkestra.dashboard.routes.fields import Field
from orkestra.wire import FieldError


@dataclass(frozen=True, slots=True)
class Fault:
    """One error of the summary; `anchor` is the element it leads to, empty where it belongs to no field."""

    message: str
    label: str = ""
    anchor: str = ""


def by_place(errors: Iterable[FieldError]) -> dict[str, str]:
    """Returns the messages by path with dots only, such as data.rows.0.amount."""
    found: dict[str, str] = {}
    for error in errors:
        path = _dotted(error.path)
        found[path] = f"{found[path]} {error.message}" if path in found else error.message
    return found


def fault(error: FieldError, fields: Sequence[Field]) -> Fault:
    """Returns an error with the name of its field, and with the number of its row where it is in a table."""
    path, labels = _dotted(error.path), []
    place: Field | None = None
    while fields:
        inside = next((each for each in fields if f"{path}.".startswith(f"{each.name}.")), None)
        if inside is None:
            break
        place = inside
        labels.append(place.label)
        number = path.removeprefix(f"{place.name}.").partition(".")[0]
        is_row = number.isdecimal() and int(number) < len(place.rows)
        labels += [str(int(number) + 1)] if is_row else []
        fields = place.rows[int(number)] if is_row else place.fields
    return Fault(error.message) if place is None else Fault(error.message, " · ".join(labels), place.anchor)


def _dotted(path: str) -> str:
    return path.replace("[", ".").replace("]", "")
