"""docs/errors.md: every refusal that a caller can get, with what to do about it."""

import inspect
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from orkestra.wire.errors import KINDS, Error
from pydantic import BaseModel, ConfigDict

from tools.reference import markdown
from tools.reference.markdown import Gap, code
from tools.reference.reasons import Raised, failures_in, raised_in

TABLE = Path("libs/wire/src/orkestra/wire/reasons.toml")
EVERYONE = "every service"
SPOKEN_FOR = {"chassis": EVERYONE, "wire": EVERYONE, "rules": "task-service", "sdk": "workers", "forms": EVERYONE}
FAILURE = "workflow_failure"
ABOUT = """
A refusal has a **kind**, which says what the caller may do about it, and a **reason**, which says why. The reason is
stable: programs may rely on it. The message beside it is a sentence for people and may change.

A refused request has changed nothing. What belongs to another tenant is refused exactly as what does not exist.
"""
LOOKS = (
    (
        "REST",
        (
            "A problem document (RFC 9457): `status`, `code` = the reason, `type` = `urn:orkestra:error:` and it, "
            "`detail` = the sentence, `errors` = each refused field with `path`, `code` and `message`, `current` = the "
            "resource as it is now, where that is why."
        ),
    ),
    (
        "gRPC",
        (
            "`google.rpc.Status` in the trailers: `ErrorInfo.reason` in the domain `orkestra`, `BadRequest` and "
            "`RetryInfo`."
        ),
    ),
    ("MCP", "A tool result with `isError` whose text begins with the reason and says what to do next."),
    ("Dashboard", "A page, or a line beside the field, with the sentence."),
)
FAILURES = """
A run that ends as `failed` says why in `failure.type`. These are what Orkestra itself puts there; an author's own
`ApplicationError(type=…)` stands there as it is.
"""


class Meaning(BaseModel):
    """What the table says of a reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wrong: str
    remedy: str


def page(root: Path) -> str:
    """Returns the page; raises Gap where the table and the code do not name the same reasons."""
    raised, failures = raised_in(root), failures_in(root)
    meanings = table_of(root)
    compare({one.reason for one in raised}, failures, meanings)
    described = {name: meaning for name, meaning in meanings.items() if "." not in name}
    sections = [_kind(kind, [one for one in raised if one.kind == kind.kind], described) for kind in KINDS.values()]
    failed = {name.partition(".")[2]: meaning for name, meaning in meanings.items() if name.startswith(f"{FAILURE}.")}
    looks = markdown.table(("Where", "How it looks"), LOOKS)
    ends = [part for name in sorted(failures) for part in _entry(name, "", failed[name])]
    return markdown.page("Errors", ABOUT, looks, *sections, "## Failures of runs", FAILURES, *ends)


def table_of(root: Path) -> dict[str, Meaning]:
    """Returns what the table says, by reason; a failure of runs is called workflow_failure.REASON."""
    read = tomllib.loads((root / TABLE).read_text("utf-8"))
    failures = read.pop(FAILURE, {})
    entries = {**read, **{f"{FAILURE}.{name}": entry for name, entry in failures.items()}}
    return {name: Meaning.model_validate(entry) for name, entry in entries.items()}


def compare(raised: set[str], failures: set[str], meanings: Mapping[str, Meaning]) -> None:
    """Raises Gap that names every reason which only the code or only the table has."""
    wanted = raised | {f"{FAILURE}.{name}" for name in failures}
    missing, idle = sorted(wanted - meanings.keys()), sorted(meanings.keys() - wanted)
    faults = []
    if missing:
        faults.append(f"{TABLE} says nothing of {', '.join(missing)}: add what is wrong and what to do.")
    if idle:
        faults.append(f"{TABLE} describes {', '.join(idle)}, which nothing raises: take it out.")
    if faults:
        raise Gap(" ".join(faults))


def _kind(kind: type[Error], raised: list[Raised], meanings: Mapping[str, Meaning]) -> str:
    if not raised:
        return ""
    by_reason: dict[str, list[Raised]] = defaultdict(list)
    for one in sorted(raised, key=lambda each: each.reason):
        by_reason[one.reason].append(one)
    again = "The same request may succeed later." if kind.retryable else "The same request will not succeed as it is."
    facts = f"HTTP {kind.http_status} · gRPC {code(kind.code.name)} · kind {code(kind.kind)}. {again}"
    entries = [
        "\n\n".join(_entry(reason, _answered_by(places), meanings[reason])) for reason, places in by_reason.items()
    ]
    title = kind.kind.replace("_", " ").capitalize()
    return "\n\n".join([f"## {title}", inspect.getdoc(kind) or "", facts, *entries])


def _entry(reason: str, note: str, meaning: Meaning) -> list[str]:
    told = f"{markdown.plain(meaning.wrong)} **What to do:** {markdown.plain(meaning.remedy)}"
    return [f"### {reason}", f"{told}{note}"]


def _answered_by(places: list[Raised]) -> str:
    services = sorted({SPOKEN_FOR.get(one.by, one.by) for one in places})
    named = EVERYONE if EVERYONE in services else ", ".join(services)
    statuses = sorted({one.status for one in places if one.status is not None})
    apart = f" HTTP {', '.join(map(str, statuses))}." if statuses else ""
    return f"{apart} *From {named}.*"
