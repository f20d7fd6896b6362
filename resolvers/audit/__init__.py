"""Audit log: the keeper of what is put on record."""
