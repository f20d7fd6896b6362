"""Synchronisation: the change log, deltas and live streams."""
