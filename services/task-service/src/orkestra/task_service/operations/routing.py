"""What groups give to their members: each one task at a time, under its own lock."""

import asyncpg
from orkestra.chassis.operations import Tx
from orkestra.rules import Decision, Member, Roster, groups_offered, pick, routed
from orkestra.task_service.operations.statements import sql
from orkestra.v1.identity import GroupStrategy
from orkestra.v1.task import Task


async def given(tx: Tx, decision: Decision) -> Decision:
    """Return the decision with the task given to whom a group picks, where it offers the task to groups that do."""
    groups = groups_offered(decision)
    if not groups:
        return decision
    locked = await sql.lock_routing_groups.rows(tx.conn, groups=list(groups))
    if not locked:
        return decision
    chosen = pick(decision.task, groups, await _rosters(tx, decision.task, locked))
    if chosen is None:
        return decision
    await sql.take_turn.execute(tx.conn, group_id=chosen.group_id, user_id=chosen.user_id)
    return routed(decision, chosen)


async def _rosters(tx: Tx, task: Task, locked: list[asyncpg.Record]) -> dict[str, Roster]:
    groups = [row["group_id"] for row in locked]
    rows = await sql.rosters.rows(tx.conn, groups=groups, type=task.type, task_id=task.task_id)
    before: tuple[str, ...] = ()
    if task.correlation and any(row["strategy"] == GroupStrategy.STICKY for row in locked):
        found = await sql.worked_before.rows(tx.conn, correlation=task.correlation, task_id=task.task_id)
        before = tuple(row[0] for row in found)
    return {
        group["group_id"]: Roster(
            group_id=group["group_id"],
            strategy=GroupStrategy(group["strategy"]),
            members=tuple(_member(row, group) for row in rows if row["group_id"] == group["group_id"]),
            turn=group["turn"],
            skills=frozenset(group["skills"]),
            before=before,
        )
        for group in locked
    }


def _member(row: asyncpg.Record, group: asyncpg.Record) -> Member:
    return Member(
        user_id=row["user_id"],
        load=row["load"],
        most=row["max_open_tasks"] or group["max_open_tasks"],
        skills=frozenset(row["skills"]),
        is_away=row["is_away"],
    )
