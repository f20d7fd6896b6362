"""Background work of orders and payments."""
