"""The export of corrections: what was drafted, what a person answered, and where the two differ."""

import json
from typing import Any

import pytest
from orkestra.v1.task import (
    CompleteTaskRequest,
    Correction,
    ListCorrectionsRequest,
    Task,
    TaskContext,
)
from orkestra.wire import Error, InvalidArgument
from task_world import Caller, Tenant, World, ask, world

__all__ = ["world"]

FORM = {
    "answer": {"type": "textarea", "required": True},
    "amount": {"type": "integer"},
    "pin": {"type": "text", "sensitive": True},
}
DRAFT = {"answer": {"value": "Yes.", "confidence": 0.4}, "amount": {"value": 5}, "pin": {"value": "1234"}}
SHOWN = TaskContext.model_validate({"summary": "An opened headset", "agent": {"name": "bot", "model": "m-1"}})


class Desk:
    def __init__(self, tenant: Tenant) -> None:
        self.bot, self.ana = tenant.agent(), tenant.person("ana", "l1")
        self.boss = tenant.person("boss", roles=("manager",))

    async def answered(self, data: dict[str, Any], draft: dict[str, Any] | None = None, **fields: Any) -> Task:
        task = await self.bot.create_task(
            ask(**{"candidate_groups": ["l1"], "form": FORM, "draft": draft, "context": SHOWN} | fields)
        )
        return await self.ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=data))

    async def exported(self, by: Caller | None = None, **fields: Any) -> list[Correction]:
        found: list[Correction] = []
        token = None
        while True:
            request = ListCorrectionsRequest(page_token=token, **fields)
            page = await (by or self.boss).list_corrections(request)
            found += page.corrections
            token = page.next_page_token
            if token is None:
                return found


async def test_a_correction_has_what_was_shown_drafted_and_answered(world: World) -> None:
    desk = Desk(world.tenant())
    task = await desk.answered({"answer": "No.", "amount": 5, "pin": "9999"}, DRAFT, type="return")
    [found] = await desk.exported()
    assert (found.task_id, found.type, found.answered_by, found.kept) == (task.task_id, "return", desk.ana.id, False)
    assert (found.context, found.agent, found.answered_at) == (SHOWN, SHOWN.agent, task.completed_at)
    assert found.answer == {"answer": "No.", "amount": 5, "pin": "[redacted]"}
    assert found.draft["pin"] == {"value": "[redacted]"}
    rows = [(one.field, one.proposed, one.answered, one.confidence, one.changed) for one in found.diff]
    assert rows == [
        ("answer", '"Yes."', '"No."', 0.4, True),
        ("amount", "5", "5", None, False),
        ("pin", '"[redacted]"', '"[redacted]"', None, True),
    ]
    assert "1234" not in json.dumps(found.model_dump(mode="json"))


async def test_only_answers_of_people_to_drafts_are_exported_in_pages_and_by_filters(world: World) -> None:
    desk = Desk(world.tenant())
    await desk.answered({"answer": "Nobody drafted this."})
    kept = await desk.answered({"answer": "Yes."}, {"answer": DRAFT["answer"]}, type="return")
    rest = [await desk.answered({"answer": "No."}, {"answer": DRAFT["answer"]}) for _ in range(4)]
    await desk.bot.create_task(ask(candidate_groups=["l1"], form=FORM, draft=DRAFT))
    found = await desk.exported(page_size=2)
    assert [one.task_id for one in found] == [kept.task_id, *(task.task_id for task in rest)]
    assert [one.kept for one in found] == [True, False, False, False, False]
    assert [one.task_id for one in await desk.exported(type="return")] == [kept.task_id]
    assert await desk.exported(answered_before=kept.completed_at) == []
    later = await desk.exported(answered_after=rest[2].completed_at)
    assert [one.task_id for one in later] == [task.task_id for task in rest[2:]]


async def test_a_page_of_large_contexts_holds_fewer(world: World) -> None:
    desk = Desk(world.tenant())
    large = TaskContext(data={"text": "x" * 250_000})
    for _ in range(10):
        await desk.answered({"answer": "No."}, {"answer": DRAFT["answer"]}, context=large)
    page = await desk.boss.list_corrections(ListCorrectionsRequest())
    assert 1 <= len(page.corrections) < 10
    assert page.next_page_token is not None
    assert len(await desk.exported()) == 10


@pytest.mark.parametrize("roles", [("member",), ("manager",), ("admin",), ("auditor",)])
async def test_overseers_export_their_own_tenant_and_nobody_else_does(world: World, roles: tuple[str, ...]) -> None:
    tenant = world.tenant()
    desk = Desk(tenant)
    await desk.answered({"answer": "No."}, DRAFT)
    caller = tenant.person("x", roles=roles)
    if roles == ("member",):
        for refused in (caller, desk.bot, tenant.system()):
            with pytest.raises(Error) as refusal:
                await desk.exported(by=refused)
            assert refusal.value.reason == "CORRECTIONS_NOT_VISIBLE"
        return
    assert len(await desk.exported(by=caller)) == 1
    assert await desk.exported(by=world.tenant().person("y", roles=roles)) == []
    for wrong in ({"page_size": 51}, {"page_token": "~"}):
        with pytest.raises(InvalidArgument):
            await caller.list_corrections(ListCorrectionsRequest.model_validate(wrong))
