"""The workflow `asks` of another day, whose code does something else first."""

from orkestra.sdk import Context, ask, group, timeout, workflow
from sdk_asking import Words


@workflow("asks")
async def asks(ctx: Context, input: Words) -> str:
    await ctx.sleep("1s")
    return await ask(ctx, input.words, assign_to=group("g"), sla=timeout("1h"))
