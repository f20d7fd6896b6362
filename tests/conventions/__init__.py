"""Rules of docs/conventions.md: each is a function of a schema that gives findings as sentences."""
