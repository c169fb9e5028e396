"""Writes the chart's golden renders and README anew: look at the difference before you commit it."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests" / "deploy"


def main() -> None:
    sys.path.insert(0, str(TESTS))
    from chart_readme import readme  # noqa: PLC0415 - the tests' folder is no package
    from deploy_chart import CHART, SETS, rendered_text  # noqa: PLC0415

    for values in SETS:
        (TESTS / "golden" / f"{values}.yaml").write_text(rendered_text(values), "utf-8")
    (CHART / "README.md").write_text(readme(), "utf-8")


if __name__ == "__main__":
    main()
