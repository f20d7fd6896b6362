"""Mutation testing: plants each fault in a copy of the project and runs the tests nearest to it.

    python -m tests.mutation [--area core] [--match WORDS] [--jobs 2]

Prints of each fault whether a test noticed it, and the share that was noticed by area. Ends with status 1
below the goal, or when the tests fail without any fault.
"""

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

from tests.mutation.fault import ROOT, Fault
from tests.mutation.faults import AREAS

GOAL = 0.9
SECONDS = 300
"""A test run that takes longer has met an endless wait: the fault is noticed."""
HEALTHY_SECONDS = 3_600
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "node_modules", ".landfall", "__pycache__", ".*_cache", "dist"
)


def passes(copy: Path, tests: Iterable[str], *, seconds: float = SECONDS) -> bool:
    """True if these tests pass in the copy; processes that they start import from it as well."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--durations=0", *tests]
    env = {**os.environ, "PYTHONPATH": str(copy)}
    try:
        ended = subprocess.run(command, cwd=copy, env=env, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


@contextmanager
def copies(count: int) -> Iterator["Queue[Path]"]:
    """Copies of the project as it is, one for each worker."""
    with tempfile.TemporaryDirectory(prefix="landfall-mutants-") as folder:
        free: Queue[Path] = Queue()
        for number in range(count):
            copy = Path(folder) / str(number)
            shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
            if (modules := ROOT / "clients" / "node_modules").exists():
                (copy / "clients" / "node_modules").symlink_to(modules)
            free.put(copy)
        yield free


_moments = itertools.count(int(time.time()))


def write(file: Path, text: str) -> None:
    """As at a moment that no other text of the file has: its bytecode is compiled anew."""
    file.write_text(text)
    moment = next(_moments)
    os.utime(file, (moment, moment))


def noticed(fault: Fault, free: "Queue[Path]") -> bool:
    copy = free.get()
    file = copy / fault.file
    healthy = file.read_text()
    try:
        write(file, fault.planted(copy))
        found = not passes(copy, fault.tests)
        print(f"{'noticed' if found else 'NOT NOTICED'}: {fault.what}  [{fault.file}]", flush=True)
        return found
    finally:
        write(file, healthy)
        free.put(copy)


def healthy_failures(files: list[str], free: "Queue[Path]") -> list[str]:
    """Those of the files that fail without any fault: all at once, and one by one only if that fails."""
    copy = free.get()
    try:
        # Without files pytest would run all there are.
        if not files or passes(copy, files, seconds=HEALTHY_SECONDS):
            return []
        return [file for file in files if not passes(copy, [file])]
    finally:
        free.put(copy)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.mutation")
    parser.add_argument("--area", choices=sorted(AREAS), help="only this area")
    parser.add_argument("--match", default="", help="only faults whose description or file contains this")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()

    chosen = {
        area: [each for each in faults if options.match in f"{each.what} {each.file}"]
        for area, faults in AREAS.items()
        if options.area in (None, area)
    }
    everything = [(area, fault) for area, faults in chosen.items() for fault in faults]
    files = sorted({file for _, fault in everything for file in fault.tests})
    begun = time.monotonic()
    with copies(options.jobs) as free, ThreadPoolExecutor(options.jobs) as pool:
        shares = [files[number :: options.jobs] for number in range(options.jobs)]
        failing = [
            each for found in pool.map(lambda share: healthy_failures(share, free), shares) for each in found
        ]
        if failing:
            print(f"These fail without any fault: {', '.join(failing)}")
            return 1
        results = list(pool.map(lambda each: noticed(each[1], free), everything))

    survivors = [(area, fault) for (area, fault), found in zip(everything, results, strict=True) if not found]
    for area, faults in chosen.items():
        missed = sum(1 for where, _ in survivors if where == area)
        if faults:
            print(f"{area:10} {len(faults) - missed:3} of {len(faults):3}")
    share = 1 - len(survivors) / len(everything) if everything else 0.0
    print(f"{'all':10} {len(everything) - len(survivors):3} of {len(everything):3}  {share:.0%}", end="")
    print(f"  in {time.monotonic() - begun:.0f} s")
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
