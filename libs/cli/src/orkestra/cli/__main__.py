"""The `orkestra` command: nothing is imported here that takes time, so that Ctrl-C meanwhile ends it without a word."""

from typing import NoReturn

from orkestra.cli.interrupts import ending_at_once


def main() -> NoReturn:
    """Import the commands and run the command line of this process."""
    with ending_at_once():
        from orkestra.cli.commands import run  # noqa: PLC0415 - takes a quarter of a second
    run()


if __name__ == "__main__":
    main()
