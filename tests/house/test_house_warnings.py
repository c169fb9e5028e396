"""Warnings are errors in tests; what is let pass is named, and only that passes."""

import warnings

import pytest

FROM = "temporalio.worker._activity"


def warn(message: str, *, module: str) -> None:
    """Warn as the module of a library would."""
    warnings.warn_explicit(message, UserWarning, f"{module}.py", 1, module=module)


def test_a_local_activity_that_ends_as_its_time_is_up_ends_no_worker_and_nothing_else_passes() -> None:
    late = "Cannot find activity to cancel for token {!r}"
    warn(late.format(b"local_act_\xa6\x03\x00\x00"), module=FROM)
    for message, module in ((late.format(b"of the server"), FROM), (late.format(b"local_act_"), "elsewhere")):
        with pytest.raises(UserWarning, match="Cannot find activity"):
            warn(message, module=module)
