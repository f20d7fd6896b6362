"""`python -m server`: the `landfall` command where it is not on PATH."""

from server.cli import app

app()
