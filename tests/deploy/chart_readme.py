"""The chart's README, made of the comments in values.yaml."""

import json
import re

import yaml
from deploy_chart import CHART

LINE = re.compile(r"^( *)([A-Za-z0-9-]+):(.*)$")
HEAD = """# Orkestra on Kubernetes

A Helm chart for all of Orkestra: Helm 3.17 to 4.3, Kubernetes 1.29 to 1.37. How to get from images to a running
installation is in [docs/guides/deployment.md](../../../docs/guides/deployment.md).

To try it out, with nothing but the images:

```sh
helm install orkestra deploy/helm/orkestra --set evaluation.enabled=true
```

## Values

This table is made of `values.yaml` by `make golden`. Keys that are not in it are refused by their name.

| value | default | what it does |
|---|---|---|
"""


def readme() -> str:
    """The whole text."""
    text = (CHART / "values.yaml").read_text("utf-8")
    values = yaml.safe_load(text)
    rows, path, comment = [], list[tuple[int, str]](), ""
    inherited: dict[int, str] = {}
    for line in text.splitlines():
        found = LINE.match(line)
        if line.strip().startswith("#"):
            comment = line.strip(" #")
        elif not line.strip():
            comment, inherited = "", {}
        elif found:
            depth = len(found[1])
            path = [*(step for step in path if step[0] < depth), (depth, found[2])]
            if comment:
                inherited[depth] = comment
            told = comment or inherited.get(depth, "") or _of_parent(inherited, depth)
            value = _at(values, [key for _, key in path])
            if found[3].strip() or not isinstance(value, dict):
                rows.append(f"| `{'.'.join(key for _, key in path)}` | `{json.dumps(value)}` | {told} |")
            comment = ""
    return HEAD + "\n".join(rows) + "\n"


def _of_parent(inherited: dict[int, str], depth: int) -> str:
    nearer = [text for level, text in sorted(inherited.items()) if level < depth]
    return nearer[-1] if nearer else ""


def _at(values: object, path: list[str]) -> object:
    for key in path:
        values = values[key] if isinstance(values, dict) else None
    return values
