"""System discovery: imports every module and package of a layer, in alphabetical order."""

import importlib
import pkgutil
from types import ModuleType

from core import account

FLOORS = ("ports", "stores", "loaders", "resolvers", "subscriptions", "jobs", "routes", "schema")
"""Layers that hold systems, lowest first."""


def rooms(floor: str) -> list[ModuleType]:
    package = importlib.import_module(floor)
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    found = [importlib.import_module(f"{floor}.{name}") for name in names]
    for room in found:
        # A module's declarations for others (hooks, services, jobs) count though no module imports it.
        for inner in pkgutil.iter_modules(getattr(room, "__path__", ())):
            importlib.import_module(f"{room.__name__}.{inner.name}")
    return found


def all_rooms() -> dict[str, list[ModuleType]]:
    found = {floor: rooms(floor) for floor in FLOORS}
    account.complete()
    return found
