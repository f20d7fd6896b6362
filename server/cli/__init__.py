"""The `landfall` command."""

from server.cli import doctor, keys, people, running, scaffold, work
from server.cli.base import app

__all__ = ["app", "doctor", "keys", "people", "running", "scaffold", "work"]
