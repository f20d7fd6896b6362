"""Audit log, as clients see it: nothing of it as yet."""
