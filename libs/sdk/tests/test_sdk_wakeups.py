"""What a run hears of its tasks: the newest word counts, an end that came with it is known, strangers are ignored."""

import pytest
from orkestra.sdk.run import Run, WakeUp
from orkestra.v1.task import ClockState, TaskStatus


def end(task_id: str = "task_1", version: int = 3) -> ClockState:
    return ClockState(task_id=task_id, status=TaskStatus.COMPLETED, version=version, result={"answer": "Yes."})


def heard(*signals: WakeUp) -> Run:
    run = Run()
    run.listen("task_1")
    for signal in signals:
        run.hear(signal)
    return run


def test_an_end_that_comes_with_its_signal_is_known() -> None:
    run = heard(WakeUp(task_id="task_1", version=3, state=end()))
    assert run.told("task_1") == end()
    run.forget("task_1")
    assert run.told("task_1") is None


def test_a_signal_without_one_leaves_it_to_be_asked() -> None:
    assert heard(WakeUp(task_id="task_1", version=3)).told("task_1") is None


@pytest.mark.parametrize(
    "signal",
    [
        WakeUp(task_id="task_2", version=3, state=end("task_2")),
        WakeUp(task_id="task_1", version=3, state=end("task_2")),
        WakeUp(task_id="task_1", version=4, state=end(version=3)),
        WakeUp(task_id="task_1", version=3, state=end().model_copy(update={"status": TaskStatus.CLAIMED})),
    ],
    ids=["a task that is not waited for", "another task's", "another version's", "no end"],
)
def test_a_state_that_is_not_this_tasks_end_is_not_believed(signal: WakeUp) -> None:
    run = heard(signal)
    assert (run.told("task_1"), run.told("task_2")) == (None, None)


def test_an_older_signal_that_comes_late_changes_nothing() -> None:
    run = heard(WakeUp(task_id="task_1", version=3, state=end()), WakeUp(task_id="task_1", version=2))
    assert run.told("task_1") == end()


def test_an_older_worker_reads_the_signal_and_an_older_signal_is_read() -> None:
    said = WakeUp(task_id="task_1", version=3, state=end()).model_dump(mode="json")
    assert {"task_id": "task_1", "version": 3}.items() <= said.items()
    assert WakeUp.model_validate({"task_id": "task_1", "version": 3}).state is None
