"""Earlier versions: another commit's Landfall beside this one, asked in the words of its own schema."""

import importlib.util
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.dataset import ROOT
from bench.fleet import KINDS, Kind
from bench.operations import Operation


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """The files of a commit, for as long as they are looked at."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        yield Path(folder)


def kinds(commit: str, folder: Path) -> list[Kind]:
    """Landfall as it was at a commit, on both drivers. It reads the data that this version made."""
    asked = {each.name: each for each in _operations(folder)}
    return [
        replace(
            each,
            name=f"{each.name}@{commit}",
            title=f"{each.title}, {commit}",
            folder=folder,
            operations=asked,
        )
        for each in KINDS
        if each.name.startswith("landfall")
    ]


def _operations(folder: Path) -> list[Operation]:
    spec = importlib.util.spec_from_file_location("bench_earlier", folder / "bench" / "operations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [
        Operation(each.name, each.title, each.query, {}, getattr(each, "variables", {}))
        for each in module.OPERATIONS
    ]
