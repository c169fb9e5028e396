"""One tenant twice: in the task service in memory that authors test with, and in the real one."""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from orkestra.rules import due
from orkestra.sdk.testing import GroupRules, People, TaskWorld
from orkestra.v1.events import UserEvent
from orkestra.v1.identity import GroupStrategy
from orkestra.v1.task import (
    AdvanceClockRequest,
    ClaimTaskRequest,
    ClockState,
    CreateTaskRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    PutTaskSettingsRequest,
    ReleaseTaskRequest,
    Task,
    VerifyTaskHistoryRequest,
)
from orkestra.wire import Error
from task_world import Caller, Tenant, ask_for_run, some_task_id

GROUPS = {"ana": ["l1"], "ben": ["l1", "l2"], "eve": ["l2"], "dan": [], "kim": [], "boss": []}
"""People and their groups. dan asks for everything, boss is a manager, kim has nothing to do with anything."""
PEOPLE = sorted(GROUPS)
AGENTS = ("bot", "spy")
UNWRITTEN = ("task.commented", "task.mentioned")
"""What is told and is no entry of the history."""
CASES = ("case-1", "case-2", None)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_TIMES = ("created_at", "updated_at", "claimed_at", "completed_at", "due_at", "next_step_at", "status_since")
_WORLD_CALLS = {"save_draft": "save_draft", "request_changes": "request_changes", "comment": "add_comment"}


class Both:
    """The same tasks, people, groups, absences and time in memory and in the service."""

    def __init__(self, tenant: Tenant, rules: GroupRules | None, undo_seconds: int = 0) -> None:
        said = rules or GroupRules()
        tenant.group(
            "l1", strategy=GroupStrategy(said.strategy), max_open_tasks=said.max_open_tasks, skills=list(said.skills)
        )
        tenant.group("l2")
        self.tenant = tenant
        skilled: dict[str, dict[str, Any]] = {"ana": {"skills": ["a"], "max_open_tasks": 1}}
        roles = {name: ["manager" if name == "boss" else "member"] for name in GROUPS}
        self.people: dict[str, Caller] = {
            name: tenant.person(name, *groups, roles=roles[name], **skilled.get(name, {}))
            for name, groups in GROUPS.items()
        }
        self.people |= {name: tenant.agent() for name in AGENTS} | {"run": tenant.worker()}
        ids = {name: one.id for name, one in self.people.items()}
        self.ids = ids
        self.model = TaskWorld(
            self.now,
            _nobody,
            people=People(
                tenant.id,
                groups={ids[name]: groups for name, groups in GROUPS.items()},
                strategies={} if rules is None else {"l1": rules},
                skills={ids["ana"]: ["a"]},
                caps={ids["ana"]: 1},
                roles={ids[name]: given for name, given in roles.items()},
                agents=[ids[name] for name in AGENTS],
            ),
            undo_window=timedelta(seconds=undo_seconds),
        )
        self.task_ids: list[str] = []
        self._absences = 0
        self._ahead = timedelta()

    async def now(self) -> datetime:
        """The time in memory: the service's tasks are moved back instead."""
        return datetime.now(UTC) + self._ahead

    async def begin(self) -> None:
        """Let the service know of the people."""
        self._rows = await asyncpg.connect(self.tenant.world.admin_url, server_settings={"search_path": "task"})
        for name in GROUPS:
            user = self.tenant.world.identity.users[self.tenant.id, self.ids[name]]
            await self.tenant.hear("user_changed", UserEvent(user=user), key=user.user_id, version=user.version)
        window = int(self.model.undo_window.total_seconds())
        await self.people["boss"].put_task_settings(PutTaskSettingsRequest(undo_seconds=window))

    async def close(self) -> None:
        """Look no more behind the service."""
        await self._rows.close()

    async def open(self, **fields: Any) -> str:
        """Open one more task in both and return its id."""
        task_id, number = some_task_id(), len(self.task_ids)
        case = CASES[number % len(CASES)]
        asked: CreateTaskRequest = ask_for_run(
            task_id=task_id, correlation=case, **{"requested_by": self.ids["dan"], "max_revisions": 1, **fields}
        )
        await self.model.create(asked)
        created = await self.people["run"].create_task(asked)
        assert shown(created) == shown(self.model.get(task_id)), "open"
        self.task_ids.append(task_id)
        return task_id

    async def away(self, who: str, substitute: str | None, types: list[str]) -> None:
        """Send a person away, whose place another takes, or call them back."""
        self._absences += 1
        person, takes = self.people[who], self.people[substitute] if substitute else None
        await self.tenant.away(person, takes, version=self._absences, task_types=types)
        if takes is None:
            self.model.people.call_back(person.id)
        else:
            self.model.people.send_away(person.id, substitute=takes.id, types=types, until=None)

    async def skip(self, length: timedelta) -> None:
        """Let time pass for every task."""
        self._ahead += length
        for row in await self._rows.fetch(
            "select task_id, sla::text, change_requests::text, submission::text from tasks where tenant_id = $1::uuid",
            self.tenant.id,
        ):
            await self._rows.execute(
                "update tasks set sla = $2::text::json, change_requests = $3::text::json, "
                "submission = $5::text::json, "
                f"{', '.join(f'{name} = {name} - $4::interval' for name in _TIMES)} where task_id = $1",
                row["task_id"],
                _earlier(row["sla"], length),
                _earlier(row["change_requests"], length),
                length,
                _earlier(row["submission"], length),
            )

    async def advance(self, task_id: str) -> None:
        """Ask the clock, as a worker does, and compare."""
        modelled = await outcome(lambda: self.model.advance(task_id))
        done = await outcome(lambda: self.people["run"].advance_clock(AdvanceClockRequest(task_id=task_id)))
        assert done == modelled, "advance"

    async def do(self, name: str, who: str, ask: Callable[[datetime], Any]) -> None:
        """Make one call in both and compare what it comes to; `ask` gives the request for the time of either."""
        by = None if who == "run" else self.ids[who]
        request = ask(await self.now())
        in_memory = getattr(self.model, name)
        if isinstance(request, ClaimTaskRequest | ReleaseTaskRequest):
            modelled = await outcome(lambda: in_memory(request.task_id, by=by, version=request.version))
        else:
            modelled = await outcome(lambda: in_memory(request, by=by))
        rpc = getattr(self.people[who], _WORLD_CALLS.get(name, f"{name}_task"))
        done = await outcome(lambda: rpc(ask(datetime.now(UTC))))
        if name == "comment" and not isinstance(done, tuple):
            assert not isinstance(modelled, tuple), f"comment by {who}"
        else:
            assert done == modelled, f"{name} by {who}"

    async def compare_rows(self) -> None:
        """Hold every row against the model, where nothing is due that nobody has performed yet."""
        now = await self.now()
        for row in await self._rows.fetch(
            "select task_id, status, version, revision, assignee, outcome, saved::text, mentioned_users from tasks "
            "where tenant_id = $1::uuid and next_step_at > clock_timestamp()",
            self.tenant.id,
        ):
            task = self.model.get(row["task_id"])
            if due(task, now):
                continue
            seen = {name: getattr(task, name) for name in ("status", "version", "revision", "assignee", "outcome")}
            assert {name: row[name] for name in seen} == seen
            assert sorted(row["mentioned_users"]) == sorted(task.mentioned_users)
            if task.sla is not None and task.status in ("open", "claimed", "waiting"):
                assert json.loads(row["saved"] or "null") == task.saved

    async def compare_ends(self) -> None:
        """Hold tasks, histories and events against the model, after what is due."""
        boss = self.people["boss"]
        for task_id in self.task_ids:
            await self.advance(task_id)
            task = await boss.get_task(GetTaskRequest(task_id=task_id))
            assert shown(task) == shown(self.model.get(task_id))
            history = await boss.get_task_history(GetTaskHistoryRequest(task_id=task_id))
            assert [(f"task.{entry.event}", entry.actor) for entry in history.entries] == [
                (event.name, event.actor)
                for event in self.model.events
                if event.task
                and event.task.task_id == task_id
                and event.name not in ("task.commented", "task.mentioned")
            ]
            verified = await boss.verify_task_history(VerifyTaskHistoryRequest(task_id=task_id))
            assert verified.intact
        rows = await self._rows.fetch(
            "select subject, payload from outbox where tenant_id = $1::uuid order by seq", self.tenant.id
        )
        told = [(row["subject"].split(".", 3)[3], json.loads(row["payload"])["task"]) for row in rows]
        assert [(name, task["task_id"], task["version"]) for name, task in told] == [
            (event.name, event.task.task_id, event.task.version)
            for event in self.model.events
            if event.task and event.name != "task.late_answer"
        ]


async def outcome(call: Callable[[], Awaitable[Any]]) -> Any:
    """What others see of a call: the task without its times, or why it was refused."""
    try:
        answer = await call()
    except Error as refusal:
        current = shown(refusal.current) if isinstance(refusal.current, Task) else None
        faults = [(error.path, error.code) for error in refusal.errors]
        return type(refusal).__name__, refusal.reason, faults, current
    return shown(answer) if isinstance(answer, Task | ClockState) else None


def shown(one: Task | ClockState) -> dict[str, Any]:
    """A task, or where it stands, without times, signatures, and what only its assignee is shown."""
    told: dict[str, Any] = _timeless(one.model_dump(exclude={"saved", "saved_at", "receipt"}))
    if told.get("submission"):
        told["submission"] |= {"result": None, "outcome": None, "receipt": None}
    receipt = one.receipt
    return told | {"receipt": receipt and _timeless(receipt.model_dump(exclude={"token"}))}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_timeless(each) for each in value]
    return type(value).__name__ if isinstance(value, datetime | timedelta) else value


def _earlier(text: str | None, length: timedelta) -> str | None:
    if text is None:
        return None
    return _TIME.sub(lambda found: (datetime.fromisoformat(found.group()) - length).isoformat(), text)


async def _nobody(_task: Task) -> None:
    return
