"""What a decision is bound to: digests over the canonical JSON (RFC 8785) of an action and of what was shown."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785
from orkestra.v1.task import TaskContext

NotCanonical = rfc8785.CanonicalizationError
"""Raised for what RFC 8785 has no form for: whole numbers beyond 2^53 - 1."""


@dataclass(frozen=True, slots=True)
class Digests:
    """SHA-256 in hexadecimal of the whole, of the form and of what was shown."""

    action: str
    form: str
    shown: str


def digests_of(
    title: str, description: str | None, context: TaskContext | None, form: Mapping[str, Any] | None
) -> Digests | None:
    """Returns what binds a decision to the action of a task; None where there is no action. Raises NotCanonical."""
    if context is None or context.action is None:
        return None
    rest = context.model_dump(mode="json", exclude_none=True, exclude={"action"})
    shown_digest = digest_of({"title": title, "description": description, "context": rest})
    form_digest = digest_of(form)
    action = action_digest(context.action.name, context.action.args, form_digest=form_digest, shown_digest=shown_digest)
    return Digests(action, form_digest, shown_digest)


def action_digest(action: str, args: Mapping[str, Any] | None, *, form_digest: str, shown_digest: str) -> str:
    """Returns the digest that a receipt carries for this action with these arguments; None stands for none at all."""
    bound = {"action": action, "args": args or {}, "form_digest": form_digest, "shown_digest": shown_digest}
    return digest_of(bound)


def digest_of(value: Any) -> str:
    """Returns the SHA-256 in hexadecimal over the canonical JSON of a value. Raises NotCanonical."""
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()
