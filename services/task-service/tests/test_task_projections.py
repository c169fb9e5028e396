"""A task's form on surfaces that show less than a page does: what fits, what is lost, what becomes a link."""

from typing import Any

import pytest
from orkestra import forms
from orkestra.v1.task import (
    AnswerTaskRequest,
    FormProjection,
    ProjectionKind,
    ProjectTaskFormRequest,
    RequestChangesRequest,
    Surface,
    Task,
)
from orkestra.wire import NotFound
from task_world import Tenant, World, ask_for_run, world

__all__ = ["world"]

REVIEW: dict[str, Any] = {
    "version": 1,
    "fields": {
        "about": {"type": "heading", "text": "Refund of 40 euros"},
        "reason": {"type": "text", "label": "Reason", "pattern": "[A-Z].*"},
        "more": {"type": "text", "label": "More", "visible_when": {"field": "sure", "equals": True}},
        "sure": {"type": "boolean", "label": "Sure"},
        "proof": {"type": "table", "label": "Proof", "columns": {"page": {"type": "integer", "label": "Page"}}},
    },
    "outcomes": [
        {"key": "approve", "label": "Approve", "style": "primary"},
        {"key": "reject", "label": "Reject", "style": "danger", "require": ["reason"]},
    ],
    "locales": {"de": {"$outcomes": {"approve": "Genehmigen", "reject": "Ablehnen"}, "sure": {"label": "Sicher"}}},
}


async def opened(tenant: Tenant, form: dict[str, Any] | None = None) -> Task:
    tenant.group("l1")
    asked = ask_for_run(candidate_groups=["l1"], form=form or REVIEW)
    return await tenant.worker().create_task(asked)


async def shown(tenant: Tenant, task: Task, surface: Surface, locale: str | None = None) -> FormProjection:
    person = tenant.person("ana", "l1")
    request = ProjectTaskFormRequest(task_id=task.task_id, surface=surface, locale=locale)
    return await person.project_task_form(request)


async def test_a_page_shows_the_form_as_it_is(world: World) -> None:
    tenant = world.tenant()
    task = await opened(tenant)
    page = await shown(tenant, task, Surface.WEB)
    assert (page.kind, page.form, page.downgrades, page.revision) == (ProjectionKind.FORM, task.form, [], 1)


async def test_elicitation_is_flat_and_says_what_it_lost(world: World) -> None:
    tenant = world.tenant()
    asked = await shown(tenant, await opened(tenant), Surface.ELICITATION)
    assert asked.kind == ProjectionKind.FORM
    assert asked.form is not None
    assert list(asked.form["properties"]) == ["reason", "more", "sure", "outcome"]
    assert "pattern" not in asked.form["properties"]["reason"]
    lost = {(each.path, each.code) for each in asked.downgrades}
    assert {("reason", "checked_later"), ("more", "always_shown"), ("proof", "left_out"), ("about", "plain")} <= lost
    assert asked.lines == ["**Refund of 40 euros**"]


async def test_a_form_that_does_not_fit_is_a_link_and_says_why(world: World) -> None:
    tenant = world.tenant()
    sure = REVIEW["fields"]["sure"]
    table = {"proof": {**REVIEW["fields"]["proof"], "required": True}, "sure": sure}
    asked = await shown(tenant, await opened(tenant, table), Surface.ELICITATION)
    assert (asked.kind, asked.form) == (ProjectionKind.LINK, None)
    assert ("proof", "needs_page") in {(each.path, each.code) for each in asked.downgrades}
    chat = await shown(tenant, await opened(tenant, {"sure": sure}), Surface.CHAT)
    assert (chat.kind, chat.buttons) == (ProjectionKind.LINK, [])
    assert {(each.path, each.code) for each in chat.downgrades} == {("", "needs_page"), ("sure", "left_out")}


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.EMAIL])
async def test_outcomes_are_buttons_in_the_readers_language(world: World, surface: Surface) -> None:
    tenant = world.tenant()
    task = await opened(tenant)
    english, german = await shown(tenant, task, surface), await shown(tenant, task, surface, "de")
    assert english.kind == ProjectionKind.BUTTONS
    assert [(each.key, each.label, each.style, each.opens) for each in english.buttons] == [
        ("approve", "Approve", "primary", False),
        ("reject", "Reject", "danger", True),
    ]
    assert [each.label for each in german.buttons] == ["Genehmigen", "Ablehnen"]
    assert ("outcomes[1]", "needs_page") in {(each.path, each.code) for each in english.downgrades}


async def test_it_is_the_form_of_the_revision_that_the_task_is_at(world: World) -> None:
    tenant = world.tenant()
    task = await opened(tenant)
    ana = tenant.person("ana", "l1")
    await ana.claimed(task)
    await ana.request_changes(RequestChangesRequest(task_id=task.task_id, message="Shorter."))
    answer = AnswerTaskRequest(task_id=task.task_id, message="So.", form={"sure": {"type": "boolean", "label": "Sure"}})
    await tenant.worker().answer_task(answer)
    now = await shown(tenant, task, Surface.ELICITATION)
    assert (now.revision, list((now.form or {})["properties"])) == (2, ["sure"])


async def test_what_it_says_is_what_the_library_says_for_any_surface(world: World) -> None:
    tenant = world.tenant()
    task = await opened(tenant)
    for surface in Surface:
        told = await shown(tenant, task, surface)
        made = forms.project(task.form or {}, surface.value)
        assert [(one.path, one.code, one.message) for one in told.downgrades] == [
            (one.path, one.code, one.message) for one in made.downgrades
        ]


async def test_whoever_does_not_see_the_task_sees_no_form(world: World) -> None:
    tenant = world.tenant()
    task = await opened(tenant)
    request = ProjectTaskFormRequest(task_id=task.task_id, surface=Surface.CHAT)
    for stranger in (tenant.person("eve"), tenant.agent(), world.tenant().worker()):
        with pytest.raises(NotFound):
            await stranger.project_task_form(request)
