"""Writes the chart's golden renders anew: look at the difference before you commit it."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests" / "deploy"


def main() -> None:
    sys.path.insert(0, str(TESTS))
    from deploy_chart import SETS, rendered_text  # noqa: PLC0415 - the tests' folder is no package

    for values in SETS:
        (TESTS / "golden" / f"{values}.yaml").write_text(rendered_text(values), "utf-8")


if __name__ == "__main__":
    main()
