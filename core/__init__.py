"""Shared core of all systems: imports no system, and nothing from the layers above."""
