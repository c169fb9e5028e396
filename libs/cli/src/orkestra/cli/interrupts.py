"""Ctrl-C while Python still imports what a command needs."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Within the block Ctrl-C ends the process with 130, without a word: nothing has begun that would need an end.

    Not by an exception: half-imported libraries answer it with tracebacks and errors of their own. Where Ctrl-C is
    somebody else's already, or ignored as of a shell's background jobs, it stays so.
    """
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
