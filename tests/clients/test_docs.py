"""Every piece of code in docs/clients.md is part of a program that the other tests here run."""

import re
import textwrap

from tests.clients.test_clients import CLIENTS, PROGRAMS

ROOT = CLIENTS.parent
PAGE = (ROOT / "docs" / "clients.md").read_text()
PIECE = re.compile(r"<!-- (clients/([a-z]+)/\S+) -->\n```\w+\n(.*?)\n```", re.DOTALL)


def test_every_piece_is_in_its_program() -> None:
    pieces = PIECE.findall(PAGE)
    assert len(pieces) == PAGE.count("```") // 2 > 10
    for file, folder, code in pieces:
        assert folder in {*PROGRAMS, "session"}
        source = (ROOT / file).read_text()
        # A piece may begin inside a block.
        indents = {code, *(textwrap.indent(code, " " * width) for width in (2, 4, 6))}
        assert any(each in source for each in indents), f"{file} no longer has:\n{code}"
