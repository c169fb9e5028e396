"""The forms of docs/guides/form-schemas.md, and what they look like: `make form-pictures` takes the pictures again."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from dashboard_story import GROUP, ask
from dashboard_world import CHROMIUM, FLAGS, ROOT, DashboardWorld, running_world
from playwright.async_api import Page, async_playwright

GUIDE = ROOT / "docs/guides/form-schemas.md"
OUT = ROOT / "docs/assets/forms"
WIDTH = 560


def forms_of_the_guide() -> dict[str, dict[str, Any]]:
    """The form of each section that has a picture, by the name of the picture."""
    text = GUIDE.read_text("utf-8")
    sections = re.split(r"^##+ ", text, flags=re.MULTILINE)[1:]
    found = {}
    for section in sections:
        picture = re.search(r"assets/forms/(\w+)-light\.png", section)
        form = re.search(r"```json\n(.*?)```", section, flags=re.DOTALL)
        if picture and form:
            found[picture[1]] = json.loads(form[1])
    return found


def every_type() -> dict[str, Any]:
    """One form with every field of the guide."""
    shown = [form for form in forms_of_the_guide().values() if "fields" not in form]
    fields = {name: field for form in shown for name, field in form.items()}
    outcomes = forms_of_the_guide()["outcomes"]
    return {**outcomes, "fields": {**fields, **outcomes["fields"]}}


WRONG: Mapping[str, Any] = {
    "fields": {
        "contact": {"type": "email", "label": "Contact", "required": True},
        "items": {
            "type": "table",
            "label": "Items",
            "columns": {"what": {"type": "text"}, "pieces": {"type": "integer"}},
        },
    }
}


async def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    async with running_world() as world, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tenant = world.tenant()
        ada = world.person("Ada Lovelace", GROUP, "billing", tenant_id=tenant)
        world.person("Grace Hopper", GROUP, tenant_id=tenant)
        session = world.rooms.identity.session(ada)
        for scheme in ("light", "dark"):
            context = await browser.new_context(
                base_url=world.base, color_scheme=scheme, viewport={"width": WIDTH, "height": 900}
            )
            cookie = {"name": "orkestra_session", "value": session, "url": world.base, "secure": True}
            await context.add_cookies([cookie])  # type: ignore[list-item]  # as its documentation has it
            page = await context.new_page()
            for name, form in forms_of_the_guide().items():
                await _open(page, world, tenant, form)
                await _take(page, f"{name}-{scheme}", keep_actions=name == "outcomes")
            await _open(page, world, tenant, WRONG)
            await page.fill("[name='data.contact']", "ana")
            await page.fill("[name='data.items.0.pieces']", "many")
            await page.click("[data-key=complete]")
            await _take(page, f"errors-{scheme}")
            await context.close()
        await browser.close()
    print(f"The pictures are in {OUT}.")  # noqa: T201  a command's answer


async def _open(page: Page, world: DashboardWorld, tenant: str, form: Mapping[str, Any]) -> None:
    task = await ask(world, tenant, form=form, context={})
    await page.goto(f"/tasks/{task.task_id}")


async def _take(page: Page, name: str, *, keep_actions: bool = False) -> None:
    """Take the form alone, without what is around it."""
    remove = "#draft-state" if keep_actions else "#draft-state, #actions"
    await page.evaluate("(around) => document.querySelectorAll(around).forEach((each) => each.remove())", remove)
    box = page.locator("section[aria-labelledby=answer] > div")
    await box.screenshot(path=OUT / f"{name}.png", animations="disabled", caret="hide")


if __name__ == "__main__":
    asyncio.run(main())
