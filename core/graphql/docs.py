"""Descriptions for GraphiQL, written where the reader of the code looks for them too.

A string under an attribute is no part of the compiled module, so its source is read again: once for all of
its classes.
"""

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise

Docs = dict[str, str]


def attribute_docs(cls: type) -> Docs:
    """The string under each attribute of a class, as Sphinx and pydantic read them.

    A class that is made at run time brings them itself, as `__attribute_docs__`.
    """
    if "__attribute_docs__" in cls.__dict__:
        return dict(cls.__dict__["__attribute_docs__"])
    return _classes(cls.__module__).get(cls.__qualname__, {})


def class_doc(cls: type) -> str | None:
    doc = cls.__dict__.get("__doc__")
    return inspect.cleandoc(doc) if doc else None


@cache
def _classes(module: str) -> dict[str, Docs]:
    """The strings of every class of a module, by the class's qualified name; of two alike the last counts."""
    found: dict[str, Docs] = {}
    _read(ast.parse(inspect.getsource(sys.modules[module])).body, "", found)
    return found


def _read(body: list[ast.stmt], within: str, found: dict[str, Docs]) -> None:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            name = f"{within}{statement.name}"
            found[name] = _strings(statement.body)
            _read(statement.body, f"{name}.", found)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            _read(statement.body, f"{within}{statement.name}.<locals>.", found)


def _strings(body: list[ast.stmt]) -> Docs:
    docs: Docs = {}
    for statement, following in pairwise(body):
        target = _target(statement)
        if target and isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            docs[target] = inspect.cleandoc(str(following.value.value))
    return docs


def _target(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None
