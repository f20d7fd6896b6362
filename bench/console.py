"""Console for the figures."""

from rich.console import Console


def console(width: int = 130) -> Console:
    """A terminal has its own width; a log file has room for a table."""
    out = Console(highlight=False)
    return out if out.is_terminal else Console(highlight=False, width=width)
