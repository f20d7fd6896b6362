"""System discovery: imports every module and package of a layer, in alphabetical order."""

import importlib
import pkgutil
from types import ModuleType

from core import erasure

LAYERS = ("ports", "stores", "loaders", "resolvers", "subscriptions", "jobs", "routes", "schema")
"""Layers that hold systems, lowest first."""


def systems(layer: str) -> list[ModuleType]:
    package = importlib.import_module(layer)
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    found = [importlib.import_module(f"{layer}.{name}") for name in names]
    for module in found:
        # A module's declarations for others (hooks, services, jobs) count though no module imports it.
        for inner in pkgutil.iter_modules(getattr(module, "__path__", ())):
            importlib.import_module(f"{module.__name__}.{inner.name}")
    return found


def all_systems() -> dict[str, list[ModuleType]]:
    found = {layer: systems(layer) for layer in LAYERS}
    erasure.complete()
    return found
