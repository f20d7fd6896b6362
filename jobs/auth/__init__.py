"""Background work of authentication."""

from jobs.auth import alerts, deletion, sessions

__all__ = ["alerts", "deletion", "sessions"]
