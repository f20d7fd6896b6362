"""Breached-password list: a sorted file of `SHA1:count`, looked up, checked, renewed."""

import hashlib
import os
import re
import shutil
import time
from datetime import timedelta
from pathlib import Path

import structlog
from prometheus_client import Gauge

logger = structlog.get_logger(__name__)

HASH = 40
LINE = re.compile(rb"[0-9A-F]{40}(?::\d+)?\r?\n?")
SHORTEST = 0.9
"""Least size of a new list relative to the old one: a smaller one was cut off in transfer."""
OLD = timedelta(days=45)
"""Age at which operators are warned; the list is to be renewed every month."""
AGE = Gauge("landfall_auth_breached_passwords_age_seconds", "Age of the list of breached passwords.")


def has(file: Path, password: str) -> bool:
    """True if the list has the password; an unreadable list counts as empty and is reported to operators."""
    try:
        return is_breached(file, password)
    except OSError as problem:
        # Nobody could open an account or change a password otherwise; the built-in list still counts.
        logger.error("breached passwords not read", error=type(problem).__name__)
        return False


def is_breached(file: Path, password: str) -> bool:
    """True if the sorted file has the password's SHA-1 hash: binary search."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with file.open("rb") as lines:
        low, high = 0, file.stat().st_size
        while low < high:
            middle = (low + high) // 2
            lines.seek(middle)
            if middle:
                lines.readline()
            line = lines.readline()
            if not line or line[:HASH] > wanted:
                high = middle
            elif line[:HASH] < wanted:
                low = middle + 1
            else:
                return True
        # What begins exactly at `low` was skipped as the rest of a line.
        lines.seek(low)
        return lines.readline()[:HASH] == wanted


def renew(new: Path, file: Path) -> int:
    """Replace the list by a downloaded one, if that is whole; return its number of hashes.

    Whoever looks a password up meanwhile reads the one list or the other.
    """
    count = checked(new)
    if file.exists() and new.stat().st_size < SHORTEST * file.stat().st_size:
        raise ValueError("It is much shorter than the present list: was it downloaded whole?")
    beside = file.with_name(f".{file.name}.new")
    try:
        shutil.copyfile(new, beside)
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)
    return count


def checked(file: Path) -> int:
    """Number of hashes in the list; ValueError unless each line is one, in order."""
    count, before = 0, b""
    with file.open("rb") as lines:
        for line in lines:
            count += 1
            if not LINE.fullmatch(line):
                raise ValueError(f"Line {count:,} is no SHA-1 hash in capitals.")
            if line[:HASH] <= before:
                raise ValueError(f"Line {count:,} is out of order: have the list sorted by hash.")
            before = line[:HASH]
    if not count:
        raise ValueError("It is empty.")
    return count


def age(file: Path) -> timedelta:
    """Age of the list, by its file's modification time."""
    return timedelta(seconds=max(0.0, time.time() - file.stat().st_mtime))


def watch(file: Path) -> None:
    """Warn operators of a list that is missing or overdue for renewal."""
    try:
        old = age(file)
    except OSError as problem:
        AGE.set(float("inf"))
        logger.error("breached passwords not read", error=type(problem).__name__)
        return
    AGE.set(old.total_seconds())
    if old > OLD:
        logger.warning("breached passwords are old", days=old.days)
