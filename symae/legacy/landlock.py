"""Linux's Landlock: a process gives up writing anywhere but in some folders, for itself and for all that it starts.

It reaches what Python cannot see: libraries in C, and other programs. It knows names and contents; permissions, owners and
times of a file can still be changed. See https://docs.kernel.org/userspace-api/landlock.html.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable

__all__ = ["confine"]

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # on every architecture
ASK_VERSION = 1
PATH_BENEATH = 1
NO_NEW_PRIVILEGES = 38

WRITE_FILE = 1 << 1
# Removing folders and files; making devices, folders, files, sockets, pipes and links.
CHANGE_FOLDER = sum(1 << bit for bit in range(4, 13))
REFER = 1 << 13  # from version 2: moving and linking between folders, which version 1 always forbids
TRUNCATE = 1 << 14  # from version 3: truncate(2); opening a file to empty it is writing in all versions
OF_FILES = WRITE_FILE | TRUNCATE


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def confine(folders: Iterable[str]) -> bool:
    """Give up writing anywhere but below `folders`, for good; those that are not there are left out.

    It holds for this thread, and for threads and processes that it starts.

    Returns
    -------
    bool
        False where the kernel has no Landlock, or none that allows to move files between folders; then nothing has changed.
    """
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ASK_VERSION)
    if version < 2:
        return False
    handled = WRITE_FILE | CHANGE_FOLDER | REFER | (TRUNCATE if version > 2 else 0)
    rules = _Ruleset(handled)
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(ctypes.sizeof(rules)), 0)
    if ruleset < 0:
        return False
    try:
        for folder in folders:
            try:
                place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                rule = _PathBeneath(handled if os.path.isdir(folder) else handled & OF_FILES, place)
                libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0)
            finally:
                os.close(place)
        if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            return False
        return bool(libc.syscall(RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)
