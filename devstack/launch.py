"""Exec with a parent-death signal: `launch.py PARENT_PID PROGRAM ARGUMENT...`.

A script of its own because `preexec_fn` is not safe once the parent has threads (pymongo starts some).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        # SIGTERM, not SIGKILL: mongod writes a checkpoint and the next start is quick.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("The parent was gone before its child started.")
    os.execv(program, sys.argv[2:])


if __name__ == "__main__":
    main()
