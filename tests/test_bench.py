"""Benchmarks ask what the schema has: they run rarely, and would be found broken when figures are wanted."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import GraphQLError, GraphQLSchema, build_schema, parse, validate

from bench import operations, run

ROOT = Path(__file__).parents[1]
PEERS = {"idiomatic", "floor"}
MODULES = sorted({file.stem for file in (ROOT / "bench").glob("*.py")} - PEERS)


def documents(module: str) -> Iterator[str]:
    """The operations that are constants of a module."""
    if module == "operations":
        yield from (operation.query for operation in operations.OPERATIONS)
    for value in vars(importlib.import_module(f"bench.{module}")).values():
        if isinstance(value, str) and "{" in value:
            try:
                parse(value)
            except GraphQLError:
                continue
            yield value


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((ROOT / "schema" / "schema.graphql").read_text())


def test_the_peers_serve_a_part_of_the_schema() -> None:
    assert list(run.schema_differences()) == []


@pytest.mark.parametrize("module", MODULES)
def test_every_operation_of_a_benchmark_is_valid(schema: GraphQLSchema, module: str) -> None:
    for document in documents(module):
        assert validate(schema, parse(document)) == [], document
