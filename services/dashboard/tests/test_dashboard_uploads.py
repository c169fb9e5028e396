"""Files in a browser: sent as they are chosen, told where they are refused, readable for everyone, at any width."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from dashboard_seats import hearing, running_browser, sitting, violations
from dashboard_story import GROUP, ask
from dashboard_world import DashboardWorld, dashboard, needs_chromium
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from playwright.async_api import expect

Migrated = Callable[..., Awaitable[Schema]]
pytestmark = [needs_chromium, pytest.mark.xdist_group("browser")]

FORM = {
    "receipts": {"type": "file", "label": "Receipts", "accept": [".pdf"], "required": True},
    "rows": {"type": "table", "columns": {"proof": {"type": "file", "label": "Proof"}}},
}
FIELD = "[data-upload='data.receipts']"


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


def file(name: str, content: bytes) -> Any:
    return [{"name": name, "mimeType": "", "buffer": content}]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
async def test_a_file_is_sent_as_it_is_chosen_and_answers_the_form(
    world: DashboardWorld, scheme: str, width: int
) -> None:
    tenant = world.tenant()
    ada = world.person("Ada Lovelace", GROUP, tenant_id=tenant)
    task = await ask(world, tenant, form=FORM)
    unbroken = f"{'x' * 120}.pdf"
    world.rooms.tasks.keep(task.task_id, unbroken, b"%PDF-1.7", by=ada.user_id)
    looks = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    async with running_browser() as browser, sitting(world, browser, ada, **looks) as seat:
        page = seat.page
        await page.goto(f"/tasks/{task.task_id}")
        await hearing(page)
        await page.set_input_files(FIELD, file("note.txt", b"Hello"))
        told = page.locator("[id='f-data-receipts-told']")
        await expect(told).to_contain_text("note.txt: The field takes: .pdf", timeout=30_000)
        assert await violations(page) == []
        await page.set_input_files(FIELD, file("receipt.pdf", b"%PDF-1.7"))
        await expect(page.get_by_label("receipt.pdf (8 B)")).to_be_checked(timeout=30_000)
        await expect(page.locator("#files")).to_contain_text("receipt.pdf", timeout=30_000)
        await page.set_input_files("#attach", file("more.txt", b"More"))
        await expect(page.locator("#files")).to_contain_text("more.txt", timeout=30_000)
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.click("[data-key=complete]")
        await page.wait_for_url("**/inbox?done=*", timeout=30_000)
        seat.complaints[:] = [each for each in seat.complaints if "422" not in each]  # Chromium tells of the refusal
    result = world.rooms.tasks.tasks[task.task_id].result
    assert result is not None
    assert [each["name"] for each in result["receipts"]] == ["receipt.pdf"]
