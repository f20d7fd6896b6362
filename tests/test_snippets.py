"""Every snippet of every page works as a reader would paste it; a page that is added is read too."""

import asyncio
import json
import re
import shlex
import shutil
import subprocess
import textwrap

import pytest
from graphql import OperationDefinitionNode, OperationType, TypeDefinitionNode, parse, validate
from typer.testing import CliRunner

from core.context import Services
from core.graphql.validation import RULES
from core.settings import Settings, fields
from devstack.examples import DEMO_PASSWORD
from server import lifespan
from server.cli import app
from stores.auth import Role
from tests.conftest import NewPhone
from tests.phone import Phone, make_member
from tests.snippets import PAGES, ROOT, SNIPPETS, Snippet

LANGUAGES = {"graphql", "graphqls", "json", "mermaid", "python", "sh", "ts"}
"""Those that a test below, or one of the page's own, runs."""
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
BUILT_IN = {"cd", "export", "pip"}
LOCAL = "http://127.0.0.1:8000"
"""Address that `make dev` serves, and to which pages send requests."""
ELSEWHERE = {"haveibeenpwned-downloader", "openssl"}
"""Programs that pages name for an operator's machine."""


def of(*languages: str) -> list[Snippet]:
    return [each for each in SNIPPETS if each.language in languages]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=str)
def test_nine_fences_did_not_close(snippet: Snippet) -> None:
    """The last brace of each was lost, and what followed was shown as code."""
    assert snippet.closed
    assert snippet.language in LANGUAGES, "No test runs what is written in this language."
    assert snippet.code.strip()


def test_every_page_is_read() -> None:
    assert {each.page for each in SNIPPETS} >= {ROOT / "README.md", ROOT / "docs" / "clients.md"}
    assert len(PAGES) > 10


@pytest.mark.parametrize("snippet", of("graphql"), ids=str)
async def test_graphql_runs_as_it_stands(snippet: Snippet, new_phone: NewPhone) -> None:
    schema = lifespan.make_schema(Settings())._schema
    document = parse(snippet.code)
    assert validate(schema, document, RULES) == []
    [operation] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    required = [each for each in operation.variable_definitions or () if each.type.kind == "non_null_type"]
    assert required == [], "Write the values into it."
    # Some pages are read by those who audit the log.
    ada: Phone = await new_phone("Ada", roles=[Role.MEMBER, Role.AUDITOR])
    # The README's are one story, which tests/test_readme.py plays.
    if snippet.page.name != "README.md" and operation.operation is not OperationType.SUBSCRIPTION:
        assert (await ada.ask(snippet.code)).errors == []


@pytest.mark.parametrize("snippet", of("graphqls"), ids=str)
def test_definitions_are_of_the_schema_language(snippet: Snippet) -> None:
    assert all(isinstance(each, TypeDefinitionNode) for each in parse(snippet.code).definitions)


@pytest.mark.parametrize("snippet", of("ts", "json"), ids=str)
def test_code_of_clients_is_part_of_a_program_that_is_built_and_run(snippet: Snippet) -> None:
    if snippet.language == "json":
        json.loads(snippet.code)
    found = re.fullmatch(r"clients/(session|graphcache|apollo|urql|relay)/\S+", snippet.before)
    assert found, "Say above it which file it is from: <!-- clients/... -->"
    source = (ROOT / snippet.before).read_text()
    code = snippet.code.rstrip("\n")
    # A piece may begin inside a block.
    indented = {code, *(textwrap.indent(code, " " * width) for width in (2, 4, 6))}
    assert any(each in source for each in indented), f"{snippet.before} no longer has:\n{code}"


@pytest.mark.parametrize("snippet", of("ts"), ids=str)
def test_a_piece_of_code_is_whole(snippet: Snippet) -> None:
    for opening, closing in ("{}", "()", "[]"):
        assert snippet.code.count(opening) == snippet.code.count(closing)


@pytest.mark.parametrize("snippet", of("python"), ids=str)
def test_python_is_python(snippet: Snippet) -> None:
    compile(snippet.code, str(snippet), "exec")


@pytest.mark.parametrize("snippet", of("sh"), ids=str)
def test_commands_exist_with_their_subcommands_and_settings(snippet: Snippet) -> None:
    subprocess.run(["bash", "-n"], input=snippet.code, text=True, check=True, timeout=10)
    text = re.sub(r"<<'(\w+)'\n.*?\n\1$", "", snippet.code, flags=re.DOTALL | re.MULTILINE).replace(
        "\\\n", " "
    )
    for name in re.findall(r"\bLANDFALL_(\w+)=", text):
        assert name.lower() in fields() or name in ("URL", "PEOPLE"), name
    for line in text.splitlines():
        words = [each for each in shlex.split(line, comments=True) if not re.match(r"\w+=", each)]
        if words:
            _check(words)


@pytest.mark.parametrize("snippet", [each for each in of("sh") if "curl " in each.code], ids=str)
async def test_requests_by_curl_are_sent_as_pasted(
    snippet: Snippet, address: str, services: Services
) -> None:
    """To the server under test, which knows the demo's Ada; what is there signs her in."""
    await make_member(services, "ada@example.com", "Ada", DEMO_PASSWORD)
    assert snippet.code.count("curl ") == snippet.code.count(LOCAL) == 1
    said = json.loads(await _pasted(snippet.code.replace(LOCAL, address)))
    assert "errors" not in said, said
    for payload in said["data"].values():
        assert payload["errors"] == []
        assert payload["tokens"]["accessToken"].count(".") == 2


def test_curl_is_among_the_snippets() -> None:
    assert [each for each in of("sh") if "curl " in each.code]


async def _pasted(code: str) -> str:
    """Output of a shell that reads the code from its input."""
    shell = await asyncio.create_subprocess_exec(
        "bash", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(20):
        said, complaint = await shell.communicate(code.encode())
    assert (shell.returncode, complaint) == (0, b""), complaint
    return said.decode()


def _check(words: list[str]) -> None:
    name, *rest = words[0].rpartition("/")[2], *words[1:]
    if name == "landfall":
        commands = [each for each in rest if not each.startswith("-")]
        _help(commands, [each.partition("=")[0] for each in rest if each.startswith("--")])
    elif name == "make":
        assert {each for each in rest if not each.startswith("-")} <= TARGETS
    elif name in ("sh", "bash") and rest[:1] == ["-c"]:
        for command in rest[1].split("&&"):
            _check(shlex.split(command))
    else:
        assert name in BUILT_IN | ELSEWHERE or shutil.which(name), name


def _help(commands: list[str], flags: list[str]) -> None:
    """The longest run of words that is a command; what follows are its arguments."""
    runner = CliRunner()
    for end in range(len(commands), 0 if commands else -1, -1):
        told = runner.invoke(app, [*commands[:end], "--help"], env={"COLUMNS": "300"})
        if told.exit_code == 0:
            for flag in flags:
                assert flag in told.output, f"{commands} has no {flag}"
            return
    raise AssertionError(f"There is no `landfall {' '.join(commands)}`.")
