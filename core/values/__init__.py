"""Values: text, numbers, money and addresses, each normalised by one function."""
