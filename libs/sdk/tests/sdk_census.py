"""A workflow that asks very many people."""

from orkestra.sdk import Context, all_of, group, task, workflow
from pydantic import BaseModel

AT_ONCE = 100


class Census(BaseModel):
    """How many are to be asked, and what came of it so far."""

    residents: int
    asked: int = 0
    said_yes: int = 0


@workflow("census")
async def census(ctx: Context, state: Census) -> int:
    """Ask every resident, a hundred at once, and count who says yes."""
    while state.asked < state.residents:
        numbers = range(state.asked, min(state.asked + AT_ONCE, state.residents))
        wave = await all_of(
            *(task(ctx, title=f"Resident {n}", key=f"resident-{n}", assign_to=group("residents")) for n in numbers)
        )
        yes = sum(answer.data["answer"] == "yes" for answer in wave)
        state = Census(residents=state.residents, asked=state.asked + len(wave), said_yes=state.said_yes + yes)
        await ctx.continue_when_long(state)
    return state.said_yes
