"""`make demo`: the agent answers alone, with a person, and when nobody answers."""

import asyncio
import sys
from pathlib import Path

import pytest
from orkestra.testkit.stack import Stack

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.xdist_group("stack")


async def test_the_demo_plays_its_branches_and_says_so(stack: Stack) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "support_bot.demo", "--state-dir", str(stack.state_dir)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    said = out.decode()
    assert process.returncode == 0, said
    assert "answers by itself: 'Two to four working days.'" in said
    assert "sends the person's answer: 'Yes, within 30 days, with the box.'" in said
    assert "it is with support-l2 now" in said
    assert said.rstrip().endswith("The story ran as it should.")
