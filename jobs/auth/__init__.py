"""Background work of authentication."""

from jobs.auth import alerts, codes, deletion, export, passwords, sealing, sessions, signing

__all__ = ["alerts", "codes", "deletion", "export", "passwords", "sealing", "sessions", "signing"]
