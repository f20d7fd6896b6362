"""Lock of a data directory: one process holds it at a time."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK_NAME = "lock"
TEMPORARY_PREFIX = "landfall-"
HANDOVER = 12.0
LEFTOVER_AGE = 60.0


class DataDirBusy(RuntimeError):
    """Another process holds the data directory."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        super().__init__(
            f"The data directory {folder} is in use by process {pid or '(unknown)'}. "
            "Stop that process, or choose another directory with LANDFALL_DATA_DIR."
        )
        self.folder = folder
        self.pid = pid


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Hold the directory; gives the lock's file descriptor, which child servers inherit and so hold too."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(lock, folder)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield lock
    finally:
        os.close(lock)


@contextmanager
def temporary() -> Iterator[Path]:
    """A directory in memory where the system has one; removed at the end."""
    root = _temporary_root()
    _sweep(root)
    folder = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _take(lock: int, folder: Path) -> None:
    deadline = time.monotonic() + HANDOVER
    while not _try(lock):
        holder = _pid_in(lock)
        # A dead holder's servers keep the lock for the moment they take to write and end.
        if holder is None or _alive(holder) or time.monotonic() > deadline:
            raise DataDirBusy(folder, holder)
        time.sleep(0.02)


def _try(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid_in(lock: int) -> int | None:
    text = os.pread(lock, 20, 0)
    return int(text) if text.isdigit() else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _temporary_root() -> Path:
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def _sweep(root: Path) -> None:
    """Remove what runs that were killed left behind: theirs is the lock that nobody holds."""
    for lock in root.glob(f"{TEMPORARY_PREFIX}*/{LOCK_NAME}"):
        # Another run may sweep at the same time.
        with suppress(FileNotFoundError):
            # The age spares a run that has made its directory and not yet taken its lock.
            if time.time() - lock.stat().st_mtime > LEFTOVER_AGE and _unheld(lock):
                shutil.rmtree(lock.parent, ignore_errors=True)


def _unheld(path: Path) -> bool:
    lock = os.open(path, os.O_RDWR)
    try:
        return _try(lock)
    finally:
        os.close(lock)
