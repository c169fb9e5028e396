"""Takes a picture of each page, light, dark and on a phone: `make screenshots` puts them into build/screenshots."""

import asyncio
from pathlib import Path
from typing import Any

from dashboard_form_guide import every_type
from dashboard_settings import WEBHOOK_ID
from dashboard_story import answered, ask, morning
from dashboard_world import CHROMIUM, FLAGS, ROOT, DashboardWorld, running_world
from orkestra.v1.identity import Role
from playwright.async_api import Browser, Page, async_playwright

OUT = ROOT / "build" / "screenshots"
WIDE = {"width": 1280, "height": 860}
SETTINGS = ("notifications", "people", "groups", "calendars", "policy", "answers", "keys", "webhooks", "audit")
OUTSIDE = {
    "sign-in": "/sign-in",
    "sign-in-elsewhere": "/sign-in?tenant=acme",
    "password-forgotten": "/password",
    "password": "/password/orl_known",
    "error-outside": "/nowhere",
}
HELD: dict[str, Any] = {
    "viewport": {"width": 360, "height": 780},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}


async def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    async with running_world() as world, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        await pictures(world, browser)
        await browser.close()
    print(f"The pictures are in {OUT}.")  # noqa: T201  a command's answer


async def pictures(world: DashboardWorld, browser: Browser) -> None:
    """Take every page in every way."""
    tenant = world.tenant()
    ada, _ = await morning(world, tenant)
    users = world.rooms.identity.users
    users[ada.user_id] = ada = ada.model_copy(update={"roles": [Role.ADMIN, Role.MEMBER]})
    session = world.rooms.identity.session(ada)
    tasks = [task.task_id for task in world.rooms.tasks.tasks.values()]
    everything = await ask(world, tenant, title="Every type of field", form=every_type())
    done = (await answered(world, tenant, ada)).task_id
    runs = list(world.rooms.workflows.runs)
    pages = {
        "inbox": "/inbox?scope=groups",
        "inbox-empty": "/inbox?scope=mine",
        "task": f"/tasks/{tasks[0]}",
        "task-form": f"/tasks/{tasks[1]}",
        "task-every-type": f"/tasks/{everything.task_id}",
        "task-answered": f"/tasks/{done}",
        "inbox-answered": f"/inbox?scope=groups&done={done}&until=2100-01-01T00:00:00%2B00:00",
        "workflows": "/workflows",
        "run": f"/workflows/{runs[0]}",
        "run-failed": f"/workflows/{runs[2]}",
        "notifications": "/notifications",
        "task-manage": f"/tasks/{tasks[0]}/manage",
        "figures": "/figures",
        "settings": "/settings",
        "confirm": f"/confirm/{tasks[0]}",
        "confirm-changed": f"/confirm/{tasks[0]}.old",
        "error": "/tasks/task_0",
        "settings-person": f"/settings/people/{ada.user_id}",
        "settings-group": "/settings/groups/support-l1",
        "settings-group-notifications": "/settings/groups/support-l1/notifications",
        "settings-calendar": "/settings/calendars/support-hours",
        "settings-webhook": f"/settings/webhooks/{WEBHOOK_ID}",
    }
    pages |= {f"settings-{part}": f"/settings/{part}" for part in SETTINGS}
    ways: dict[str, dict[str, Any]] = {
        "light": {"viewport": WIDE, "color_scheme": "light"},
        "dark": {"viewport": WIDE, "color_scheme": "dark"},
        "phone": HELD | {"color_scheme": "light"},
        "phone-dark": HELD | {"color_scheme": "dark"},
    }
    for way, options in ways.items():
        context = await browser.new_context(base_url=world.base, **options)
        page = await context.new_page()
        for name, path in OUTSIDE.items():
            await page.goto(path)
            await page.screenshot(path=Path(OUT / f"{name}-{way}.png"))
        await context.add_cookies([{"name": "orkestra_session", "value": session, "url": world.base, "secure": True}])
        for name, path in pages.items():
            await page.goto(path)
            if name == "inbox":
                await choosing(page, OUT / f"inbox-choosing-{way}.png")
                await page.goto(path)
            await page.screenshot(
                path=OUT / f"{name}-{way}.png", full_page=name.startswith(("task", "run", "figures", "settings"))
            )
        await context.close()


async def choosing(page: Page, path: Path) -> None:
    """Rows that are ticked, and the filters open."""
    for box in (await page.locator("[data-pick]").all())[:2]:
        await box.check()
    await page.locator("summary[data-key=f]").click()
    await page.screenshot(path=path)


if __name__ == "__main__":
    asyncio.run(main())
