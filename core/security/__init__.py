"""Security: access checks, encryption, rate limits."""
