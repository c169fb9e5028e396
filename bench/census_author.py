"""A workflow that asks very many people, a hundred at once."""

from orkestra.sdk import Context, all_of, group, task, workflow
from pydantic import BaseModel

AT_ONCE = 100


class Census(BaseModel):
    """How many are to be asked, and how many have answered."""

    residents: int
    asked: int = 0


@workflow("census", task_queue="census")
async def census(ctx: Context, state: Census) -> int:
    """Ask every resident; a history that has grown long is gone on with in a new one."""
    while state.asked < state.residents:
        numbers = range(state.asked, min(state.asked + AT_ONCE, state.residents))
        wave = await all_of(
            *(task(ctx, title=f"Resident {n}", key=f"resident-{n}", assign_to=group("support-l1")) for n in numbers)
        )
        state = Census(residents=state.residents, asked=state.asked + len(wave))
        await ctx.continue_when_long(state)
    return state.asked
