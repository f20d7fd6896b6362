"""Chats of two: opening them, what is said in them, and how far it came. No other system needs any of it."""
