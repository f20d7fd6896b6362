"""Mutations: idempotency receipts, and the flush of an offline queue."""
