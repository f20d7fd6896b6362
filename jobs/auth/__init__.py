"""Background work of authentication."""

from jobs.auth import alerts, codes, deletion, sessions, signing

__all__ = ["alerts", "codes", "deletion", "sessions", "signing"]
