"""What the systems share: nothing here knows a system, and nothing here imports the floors above."""
