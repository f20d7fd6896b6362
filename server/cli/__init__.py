"""The `landfall` command."""

from core import discovery
from server.cli import doctor, keys, role, running, scaffold, shard, work
from server.cli.base import app

__all__ = ["app", "doctor", "keys", "role", "running", "scaffold", "shard", "work"]

discovery.systems("commands")
