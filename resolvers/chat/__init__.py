"""Chat between two people: opening, sending, receipts. No other system needs any of it."""
