"""Finds the systems: every module and package on a floor, in alphabetical order."""

import importlib
import pkgutil
from types import ModuleType

from core import account

FLOORS = ("stores", "loaders", "resolvers", "subscriptions", "jobs", "schema")
"""Floors that hold systems, lowest first."""


def rooms(floor: str) -> list[ModuleType]:
    package = importlib.import_module(floor)
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{floor}.{name}") for name in names]


def all_rooms() -> dict[str, list[ModuleType]]:
    found = {floor: rooms(floor) for floor in FLOORS}
    account.complete()
    return found
