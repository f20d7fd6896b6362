"""Background work of authentication."""

from jobs.auth import sessions

__all__ = ["sessions"]
