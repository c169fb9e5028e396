"""Becomes another program that ends when its parent ends, as another user where asked. Run as a script, without site.

python -I -S launch.py PARENT_PID DEATH_SIGNAL USER READ_ALL -- COMMAND...
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def become(user: str, *, keep_paths: bool) -> None:
    """Drops root for `user`; with `keep_paths` folders closed to others (such as /root) stay passable.

    Only what the parent could read anyway stays readable. Where the kernel refuses, plain permissions apply.
    """
    entry = pwd.getpwnam(user)
    libc = ctypes.CDLL(None, use_errno=True)
    if keep_paths:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    if keep_paths:
        mask = 1 << CAP_DAC_OVERRIDE
        libc.capset((ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0))
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def die_with(parent: int, signal_number: int) -> None:
    """Asks the kernel for a signal when the parent's thread ends; at once where it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def main(arguments: list[str]) -> None:
    """Follows the command line above; never returns."""
    parent, death_signal, user, keep_paths, _, *command = arguments
    if user != "-":
        become(user, keep_paths=keep_paths == "1")
    die_with(int(parent), int(death_signal))  # after the change of user, which forgets the setting
    os.execv(command[0], command)  # noqa: S606 - the very purpose


if __name__ == "__main__":
    main(sys.argv[1:])
