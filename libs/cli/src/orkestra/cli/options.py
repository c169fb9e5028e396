"""Options that many commands take."""

from pathlib import Path
from typing import Annotated, Any

import typer
from orkestra.cli.state import STATE, nearest_state

STATE_VARIABLE = "ORKESTRA_STATE_DIR"
OWN_STATE = Path(STATE)


def _nearest(help: str) -> Any:  # noqa: A002 - Typer's word
    told = f"{help}; {STATE} here, or in the nearest folder above that has one, if absent."
    return typer.Option(
        "--state-dir", envvar=STATE_VARIABLE, default_factory=nearest_state, show_default=False, help=told
    )


StateOption = Annotated[Path, _nearest("Folder of the local stack")]
NearestStateOption = Annotated[Path, _nearest("Folder that keeps data, logs and keys")]
OwnStateOption = Annotated[
    Path, typer.Option("--state-dir", envvar=STATE_VARIABLE, help="Folder that keeps data, logs and keys.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the ids, one on each line.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without being asked.")]
