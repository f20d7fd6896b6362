"""Layering rules, as functions of a source tree: each returns its violations."""

import ast
import io
import re
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

SYSTEM_LAYERS = (
    "ports",
    "stores",
    "loaders",
    "resolvers",
    "subscriptions",
    "jobs",
    "routes",
    "schema",
    "commands",
)
KNOWS = {
    "core": (),
    "ports": ("core",),
    "stores": ("ports", "core"),
    "loaders": ("stores", "core"),
    "resolvers": ("loaders", "stores", "ports", "core"),
    "subscriptions": ("resolvers", "loaders", "stores", "core"),
    "jobs": ("resolvers", "stores", "ports", "core"),
    "schema": ("resolvers", "subscriptions", "loaders", "stores", "ports", "core"),
    "routes": ("resolvers", "stores", "ports", "core"),
    "executor": ("core",),
    "providers": ("ports", "core"),
    "devstack": ("providers", "resolvers", "stores", "core"),
    "server": ("executor", "providers", "devstack", "core"),
    "commands": ("server", "resolvers", "stores", "ports", "core"),
}
"""Layers that each layer may import beside itself; `schema` shows enums that `stores` keeps.

`server` names no system: it finds them.
"""

RETIRED = {
    "RefusalKind": "ErrorKind",
    "Anomaly": "Fallback",
    "Asked": "PageArgs, CacheRequest, OperationRequest or SocketOperation",
    "BarredByUser": "BlockedEitherWayByUser",
    "Behind": "KeyedTasks",
    "DOORS": "GUARDS",
    "Desk": "UploadService",
    "Door": "Guard",
    "Everybody": "AnonymousContext",
    "Fault": "RequestError",
    "ForAll": "SharedEvent",
    "Gate": "OperationLimits",
    "Lately": "WindowCount",
    "LastingView": "StreamingView",
    "Lookout": "Notifier",
    "Mutate": "MutationField",
    "Objects": "ObjectStore",
    "Once": "SingleFlight",
    "Recent": "LruCache",
    "Refused": "UserError",
    "Standing": "ViewerRelations",
    "Studio": "MediaProcessor",
    "Tally": "SlidingWindowCounter",
    "Taste": "Affinity",
    "Texter": "SmsSender",
    "Typists": "TypingIndicator",
    "all_rooms": "all_systems",
    "barred": "blocked_either_way",
    "errand": "job",
    "errands": "jobs",
    "inbox_kept": "inbox_maintained",
    "quietly": "skip_log",
    "refusals": "error_codes",
    "scan_order": "sort_order",
    "seal_anew": "reencrypt",
    "sealed_anew": "reencrypted",
    "texters": "sms_senders",
    "told_last": "last_sent",
    "untold": "dirty",
}
"""Home-made names, and the field's standard ones that took their place."""

LONGEST_FILE = 400
QUOTED = re.compile(r"`([A-Za-z_.]+)`")
QUESTION = re.compile(r'^\s*r?"""(?:What|Who|How|Whether)\b.*', re.MULTILINE)

ORDINARY = {"audit", "media", "note", "order", "reading", "refill", "search", "sync"}
"""Names of systems that mean something else in `core/` and `server/`: a media type, a sort order."""
SHARED = {
    "core.cards",
    "core.ledger.canonical",
    "core.ledger.chain",
    "core.ledger.checkpoint",
    "core.ledger.log",
    "core.ledger.merkle",
    "core.ledger.signed_note",
    "core.ledger.tiles",
    "core.mutations.batches",
    "core.security.subject_keys",
    "core.sync.delta",
    "core.values.money",
}
"""In `core/` for one system as yet: the change log is the engine's, not the catalog alone has
prices, a ledger is mathematics that knows nothing of its entries, others send batches too, and card numbers
are refused wherever people write."""


def modules(root: Path, folders: Iterable[str] = KNOWS) -> dict[str, Path]:
    """Every module of the product, or of these folders, by its dotted name."""
    found = {}
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path) -> Iterator[str]:
    """All that a module imports, as `package.module.name`: at its top, in functions, under TYPE_CHECKING."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for statement in ast.walk(ast.parse(path.read_text())):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            origin = resolve_name("." * statement.level + (statement.module or ""), package)
            yield from (f"{origin}.{alias.name}" for alias in statement.names)


def graph(root: Path, folders: Iterable[str] = KNOWS) -> dict[str, list[str]]:
    """Import graph of the product's modules, or of those of these folders."""
    known = modules(root, folders)
    found = {}
    for name, path in known.items():
        inner = {_module(imported, known) for imported in imports(name, path)}
        found[name] = sorted(each for each in inner if each and each != name)
    return found


def _module(imported: str, known: dict[str, Path]) -> str:
    while imported and imported not in known:
        imported = imported.rpartition(".")[0]
    return imported


def imports_going_up(root: Path) -> list[str]:
    problems = []
    for name, imported in graph(root).items():
        layer = name.split(".")[0]
        allowed = (layer, *KNOWS[layer])
        problems += [f"{name} imports {each}" for each in imported if each.split(".")[0] not in allowed]
    return problems


def cycles(root: Path) -> list[str]:
    try:
        TopologicalSorter(graph(root)).prepare()
    except CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def order(root: Path) -> list[str]:
    """All systems, each above those it may import."""
    systems: list[str] = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["landfall"]["systems"]
    return systems


def systems_going_uphill(root: Path, order: list[str]) -> list[str]:
    """In `schema/` and `resolvers/`; a system that is not in the order has no place."""
    found = sorted({system for layer in SYSTEM_LAYERS for system in _systems(root / layer)})
    problems = [f"{system} is not in the order" for system in found if system not in order]
    for name, imported in graph(root).items():
        layer, system = _place(name)
        if layer not in ("schema", "resolvers") or system not in order:
            continue
        allowed = ("", *order[: order.index(system) + 1])
        for each in imported:
            other_layer, other = _place(each)
            if other_layer in ("schema", "resolvers") and other not in allowed:
                problems.append(f"{name} imports {each}")
    return problems


def insides_imported(root: Path) -> list[str]:
    """Imports of a module inside another system's package: its `__init__` is its interface."""
    return [
        f"{name} imports {each}"
        for name, imported in graph(root).items()
        for each in imported
        if _place(name)[0] in SYSTEM_LAYERS and _place(each)[0] in SYSTEM_LAYERS
        if each.count(".") > 1 and _place(each)[1] != _place(name)[1]
    ]


def faces_used_inside(root: Path) -> list[str]:
    """Imports of the own system's interface, which is for other systems; a store's is for both."""
    return [
        f"{name} imports {each}"
        for name, imported in graph(root).items()
        for each in imported
        if _place(name)[0] in SYSTEM_LAYERS
        and _place(each)[0] in SYSTEM_LAYERS
        and _place(each)[0] != "stores"
        if each.count(".") == 1
        and _place(each)[1] == _place(name)[1]
        and (root / each.replace(".", "/")).is_dir()
    ]


def _place(module: str) -> tuple[str, str]:
    """Layer and system of a module."""
    layer, system, *_ = [*module.split("."), ""]
    return layer, system


def systems_named(root: Path, order: list[str]) -> list[str]:
    """Names in `core/` and `server/`, which know no system, that contain a system's."""
    systems = set(order) - ORDINARY
    return [
        f"{module} names {name}"
        for module, path in modules(root).items()
        if module.split(".")[0] in ("core", "server")
        for name in sorted(_identifiers(path))
        if systems & {word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", name)}
    ]


def _identifiers(path: Path) -> set[str]:
    """Everything a module calls by a name, its own or another's."""
    named = {"name", "id", "attr", "arg", "asname"}
    defined = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.arg)
    used = (ast.Name, ast.Attribute, ast.keyword, ast.alias)
    found = {
        value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (*defined, *used))
        for field, value in ast.iter_fields(node)
        if field in named and isinstance(value, str)
    }
    return {*found, path.stem}


def serving_one_system(root: Path) -> list[str]:
    """Modules of `core/` that one system alone imports: they belong to it."""
    imported: dict[str, set[str]] = {}
    for name, others in graph(root).items():
        layer, system = _place(name)
        for each in others:
            imported.setdefault(each, set()).add(system if layer in SYSTEM_LAYERS else f"{layer}/")
    return [
        f"{module} serves {min(systems)} alone"
        for module, systems in sorted(imported.items())
        if module.startswith("core.") and len(systems) == 1 and not min(systems).endswith("/")
        if module not in SHARED
    ]


def strangers(root: Path) -> list[str]:
    """Entries of a layer of systems that are none, or are named otherwise than their system in `schema/`."""
    names = set(_systems(root / "schema"))
    problems = []
    for layer in SYSTEM_LAYERS:
        found = _systems(root / layer)
        problems += [f"{layer}/{name} has no schema/{name}" for name in found if name not in names]
        problems += [f"{layer}/{entry} is no system" for entry in _others(root / layer, found)]
    return problems


def _systems(layer: Path) -> list[str]:
    names = [path.stem for path in layer.glob("*.py") if path.name != "__init__.py"]
    return sorted([*names, *(path.parent.name for path in layer.glob("*/__init__.py"))])


def _others(layer: Path, systems: list[str]) -> list[str]:
    snapshots = {"app.graphql", "delta.graphql", "schema.graphql"}
    ours = {"__init__.py", "__pycache__", *snapshots, *systems, *(f"{name}.py" for name in systems)}
    others = [path.name for path in layer.iterdir() if path.name not in ours]
    return sorted([*others, *(["__init__.py"] if (layer / "__init__.py").read_text().strip() else [])])


def long_files(root: Path) -> list[str]:
    """Sources of any folder that people write."""
    problems = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] != "."):
        for path in sorted(folder.rglob("*.py")):
            lines = path.read_text().splitlines()
            if len(lines) > LONGEST_FILE and "node_modules" not in path.parts:
                problems.append(f"{path.relative_to(root)} has {len(lines)} lines")
    return problems


def docstrings_that_ask(root: Path) -> list[str]:
    """Docstrings outside `schema/` that open with a question word instead of the thing."""
    return [
        f"{path.relative_to(root)}: {found.strip()}"
        for folder in sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] != ".")
        for path in sorted(folder.rglob("*.py"))
        if folder.name != "schema" and "node_modules" not in path.parts
        for found in QUESTION.findall(path.read_text())
    ]


def identifiers(source: str) -> set[str]:
    """Names in the code of a module, and in backticks in its texts, where they may be dotted."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    quoted = {name for each in QUOTED.findall(source) for name in each.split(".")}
    return {each.string for each in tokens if each.type == tokenize.NAME} | quoted


def retired_names(root: Path) -> list[str]:
    """Uses of home-made names that a standard one replaced."""
    return [
        f"{name}: {word} is {RETIRED[word]}"
        for name, path in modules(root).items()
        for word in sorted(identifiers(path.read_text()) & RETIRED.keys())
    ]


def driver_imports(root: Path) -> list[str]:
    """Imports of MongoDB's driver outside `core.storage` and servers; errors are free."""
    drivers = ("pymongo", "motor", "bson", "gridfs")
    return [
        f"{name} imports {each}"
        for name, path in modules(root).items()
        for each in imports(name, path)
        if each.split(".")[0] in drivers and not f"{each}.".startswith("pymongo.errors.")
        if name not in ("core.storage.mongo", "core.storage.wire") and not name.startswith("devstack.")
    ]


def zones_made_elsewhere(root: Path) -> list[str]:
    """Imports of makers of time zones outside `core.zones`, which reads the pinned database alone."""
    makers = ("zoneinfo", "pytz", "tzlocal", "dateutil.tz")
    return [
        f"{name} imports {each}"
        for name, path in modules(root).items()
        for each in imports(name, path)
        if f"{each}.".startswith(tuple(f"{maker}." for maker in makers)) and name != "core.zones"
    ]


def graphql_imports(root: Path) -> list[str]:
    """Imports of GraphQL in layers of systems other than `schema/`."""
    return [
        f"{name} imports {each}"
        for name, path in modules(root).items()
        for each in imports(name, path)
        if name.split(".")[0] in SYSTEM_LAYERS and not name.startswith("schema")
        if each.split(".")[0] in ("strawberry", "graphql") or f"{each}.".startswith("core.graphql.")
    ]


def misnumbered_decisions(root: Path) -> list[str]:
    """Decision records that share a number, or whose title has another than their file."""
    records = sorted((root / "docs" / "decisions").glob("*.md"))
    numbers = [path.name.partition("-")[0] for path in records]
    return [
        f"{number} is the number of two decisions: give the later one the next that is free"
        for number, count in sorted(Counter(numbers).items())
        if count > 1
    ] + [
        f'{path.name} does not begin with "# {int(number)}. "'
        for path, number in zip(records, numbers, strict=True)
        if not path.read_text().startswith(f"# {int(number)}. ")
    ]
