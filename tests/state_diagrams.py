"""State diagrams: `docs/states.md`, drawn from the tables of moves beside the collections.

    python -m tests.state_diagrams

writes it.
"""

from pathlib import Path

from core import discovery
from core.storage.store import COLLECTIONS

PAGE = Path(__file__).parents[1] / "docs" / "states.md"
HEAD = """# States

States of stored documents, and which may follow which. Written by `make schema` from the tables beside the
collections: the unit of work refuses every other move.
"""


def page() -> str:
    """The page as it should be: a Mermaid diagram for each collection whose documents have states."""
    discovery.all_systems()
    drawn = [
        f"## {name.replace('_', ' ').capitalize()}\n\n```mermaid\n{declared.moves.drawn()}\n```\n"
        for name, declared in sorted(COLLECTIONS.items())
        if declared.moves is not None
    ]
    return "\n".join([HEAD, *drawn])


if __name__ == "__main__":
    PAGE.write_text(page())
