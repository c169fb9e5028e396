"""Have people look at what the classifier is not sure of, and learn from what they change."""

from typing import Literal

from orkestra.sdk import SLA, Context, Form, Proposal, escalate_below, group, radio, select, textarea, workflow
from pydantic import BaseModel, Field

Action = Literal["allow", "hide", "remove"]
Rule = Literal["spam", "abuse", "off-topic"]
SURE = 0.85


class Post(BaseModel):
    """A post, and what the classifier makes of it."""

    post_id: str
    author: str
    text: str
    action: Action
    rule: Rule | None = None
    confidence: float = Field(ge=0, le=1)
    model: str = "classifier-1"


class Verdict(Form):
    """What the moderator decides; the classifier's view is filled in."""

    action: Action = radio(required=True)
    rule: Rule | None = select()
    note: str | None = textarea()


class Moderated(BaseModel):
    """What happens to the post, by whom, and in which fields the moderator disagreed with the classifier."""

    action: Action
    rule: Rule | None
    by: str
    corrected: list[str]


@workflow("content-moderation", version=1)
async def content_moderation(ctx: Context, input: Post) -> Moderated:
    """Follow the classifier where it is sure, and ask a moderator where it is not."""
    draft = {"action": input.action, "rule": input.rule}
    result = await escalate_below(
        ctx,
        input.confidence,
        SURE,
        topic="moderation",
        agent="classifier",
        model=input.model,
        title=f"May this post of {input.author} stay?",
        description=input.text,
        form=Verdict,
        draft={name: Proposal(value, input.confidence) for name, value in draft.items() if value is not None},
        assign_to=group("moderators"),
        correlation=input.author,
        tags=[input.rule or input.action],
        sla=SLA(claim="15m", complete="4h", default=Verdict(action="hide", note="Hidden until somebody looks.")),
    )
    if result is None:
        return Moderated(action=input.action, rule=input.rule, by="classifier", corrected=[])
    verdict = result.data
    return Moderated(
        action=verdict.action, rule=verdict.rule, by=result.completed_by or "policy", corrected=result.corrected
    )
