"""What a person reads when the local stack is ready."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orkestra.cli.installed import examples

QUESTION = {
    "definition": "customer-support",
    "input": {"question": "May I return an opened headset?", "conversation_id": "conv-1", "customer_id": "cust-1"},
}


def announcement(stack: Mapping[str, Any], state_dir: Path, *, detached: bool = False) -> str:
    """Addresses, demo people and keys, and the next thing to try."""
    places = [
        ("Dashboard", "dashboard"),
        ("REST", "rest"),
        ("MCP", "mcp"),
        ("Temporal UI", "temporal_ui"),
        ("NATS", "nats"),
        ("PostgreSQL", "postgres"),
    ]
    keys = stack["api_keys"]
    lines = ["", "Orkestra is ready.", ""]
    lines += [f"  {title:<12} {stack[key]}" for title, key in places]
    lines += ["", "  Demo people (e-mail, password, roles, groups)"]
    lines += [f"    {_person(user)}" for user in stack.get("users", [])]
    lines += ["", "  API keys"]
    lines += [f"    {name:<8} {key}" for name, key in keys.items()]
    with_examples = bool(examples())
    in_repository = with_examples and (state_dir.parent / "Makefile").exists()
    lines += ["", *(_question(stack["rest"], keys.get("system", "")) if with_examples else _worker(state_dir)), ""]
    story = "; `make demo` plays the whole story" if in_repository else ""
    lines += [f"  All of this is in {state_dir / 'stack.json'}{story}."]
    stop = "make down" if in_repository else f"orkestra dev stop --state-dir {state_dir}"
    lines += [f"  `{stop}` stops it." if detached else "  Ctrl-C stops it. What was stored stays.", ""]
    return "\n".join(lines)


def _person(user: Mapping[str, Any]) -> str:
    belongs = " ".join([*user["roles"], *user["groups"]])
    return f"{user['email']:<22} {user['password']:<22} {belongs}"


def _worker(state_dir: Path) -> list[str]:
    run = f"orkestra worker run MY_PACKAGE.workflows --task-queue MY-QUEUE --reload --state-dir {state_dir}"
    return ["  Try next: run workflows of your own (`orkestra init NAME` makes some)", "", f"  {run}"]


def _question(rest: str, key: str) -> list[str]:
    asked = (
        f"  curl -sS {rest}/v1/workflows -H 'Authorization: Bearer {key}' \\\n"
        f"    -H 'Content-Type: application/json' -d '{json.dumps(QUESTION)}'"
    )
    return ["  Try next: start a workflow that asks a person", "", asked]
