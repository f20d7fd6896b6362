"""Finds the systems: every module and package on a floor, in alphabetical order, with all that is in them."""

import importlib
import pkgutil
from types import ModuleType

from core import account

FLOORS = ("ports", "stores", "loaders", "resolvers", "subscriptions", "jobs", "routes", "schema")
"""Floors that hold systems, lowest first."""


def rooms(floor: str) -> list[ModuleType]:
    package = importlib.import_module(floor)
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    found = [importlib.import_module(f"{floor}.{name}") for name in names]
    for room in found:
        # What a module declares for others to find (hooks, services, jobs) counts though nobody imports it.
        for inner in pkgutil.iter_modules(getattr(room, "__path__", ())):
            importlib.import_module(f"{room.__name__}.{inner.name}")
    return found


def all_rooms() -> dict[str, list[ModuleType]]:
    found = {floor: rooms(floor) for floor in FLOORS}
    account.complete()
    return found
