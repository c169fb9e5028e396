"""Tests of workflows without servers but one: time is skipped, people are played by the test."""

from orkestra.sdk.testing.calendars import office_hours
from orkestra.sdk.testing.environment import OrkestraTest, RunHandle
from orkestra.sdk.testing.human import HumanTask
from orkestra.sdk.testing.people import GroupRules, People
from orkestra.sdk.testing.replaying import replay
from orkestra.sdk.testing.world import TaskWorld, WorldEvent

__all__ = [
    "GroupRules",
    "HumanTask",
    "OrkestraTest",
    "People",
    "RunHandle",
    "TaskWorld",
    "WorldEvent",
    "office_hours",
    "replay",
]
