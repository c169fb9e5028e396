"""Options that many commands take."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_STATE = Path(".orkestra")
StateOption = Annotated[Path, typer.Option("--state-dir", help="Folder of the local stack.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the ids, one on each line.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without being asked.")]
