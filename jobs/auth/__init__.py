"""Background work of authentication."""
