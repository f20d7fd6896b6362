"""Error codes that a function may raise, as far as its source tells: through the functions that it names."""

import ast
import functools
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Key = tuple[str, str]
"""Module and qualified name of a function, or module and name of another value."""

LAYERS = ("core", "resolvers", "stores", "loaders", "jobs", "subscriptions", "ports")
BEHIND_PORTS = frozenset({"begin_attempt", "made", "spend", "take", "use"})
"""Methods that are called through an interface or a hook: each of that name counts."""


class Sources:
    """Functions and other values of all modules by name, with what each module imports."""

    def __init__(self, root: Path) -> None:
        self.modules = {_name(root, file): ast.parse(file.read_text()) for file in _files(root)}
        self.functions: dict[Key, ast.AST] = {}
        self.methods: dict[str, list[Key]] = defaultdict(list)
        self.imported: dict[str, dict[str, Key | str]] = {}
        for module, tree in self.modules.items():
            self.imported[module] = dict(self._imports(tree))
            self._define(module, tree, "")

    def _imports(self, tree: ast.Module) -> Iterator[tuple[str, Key | str]]:
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module:
                for each in node.names:
                    module = f"{node.module}.{each.name}"
                    found = module if module in self.modules else (node.module, each.name)
                    yield each.asname or each.name, found

    def _define(self, module: str, tree: Any, prefix: str) -> None:
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions[module, prefix + node.name] = node
                if prefix:
                    self.methods[node.name].append((module, prefix + node.name))
            elif isinstance(node, ast.ClassDef):
                self._define(module, node, f"{node.name}.")
            elif isinstance(node, ast.Assign | ast.AnnAssign) and not prefix:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                named = [each.id for each in targets if isinstance(each, ast.Name)]
                self.functions |= {(module, each): node for each in named}

    def codes(self, function: Callable[..., Any]) -> set[str]:
        """Codes that a function may raise."""
        plain = inspect.unwrap(function.func if isinstance(function, functools.partial) else function)
        found: set[str] = set()
        left: list[Key] = [(plain.__module__, plain.__qualname__)]
        seen: set[Key] = set()
        while left:
            key = left.pop()
            if key in seen:
                continue
            seen.add(key)
            codes, named = self._read(key)
            found |= codes
            left += named
        return found

    @functools.cache  # noqa: B019  # As long as a test.
    def _read(self, key: Key) -> tuple[set[str], set[Key]]:
        """Codes that are raised in a function itself, and what it names."""
        nodes = list(ast.walk(self.functions[key]))
        codes = {code for node in nodes if (code := _code(node))}
        return codes, {named for node in nodes for named in self._named(key[0], node)}

    def _named(self, module: str, node: ast.AST) -> Iterator[Key]:
        """Functions that a name or an attribute stands for; methods of one's own and of interfaces."""
        imported = self.imported[module]
        if isinstance(node, ast.Name):
            yield from self._resolved((module, node.id))
        elif isinstance(node, ast.Attribute):
            owner = imported.get(node.value.id) if isinstance(node.value, ast.Name) else None
            if isinstance(owner, str):
                yield from self._resolved((owner, node.attr))
            elif isinstance(node.value, ast.Name) and node.value.id == "self":
                yield from (each for each in self.methods[node.attr] if each[0] == module)
            elif node.attr in BEHIND_PORTS:
                yield from self.methods[node.attr]

    def _resolved(self, key: Key) -> Iterator[Key]:
        """The function or value that a name stands for, where packages hand it on."""
        found: Key | str | None = key
        while isinstance(found, tuple) and found[0] in self.modules:
            further = None if found in self.functions else self.imported[found[0]].get(found[1])
            if further is None:
                if found in self.functions:
                    yield found
                return
            found = further


def _files(root: Path) -> Iterator[Path]:
    return (file for layer in LAYERS for file in (root / layer).rglob("*.py"))


def _name(root: Path, file: Path) -> str:
    return ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _code(node: ast.AST) -> str | None:
    """The code of a refusal that is made here."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "UserError":
        first = node.args[0]
        return str(first.value) if isinstance(first, ast.Constant) else None
    return None
