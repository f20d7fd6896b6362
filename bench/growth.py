"""Growth of CPU per request with a page, with levels and with fields: `make bench-growth`; Landfall alone."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from bench import dataset, fleet
from bench.fleet import KINDS, Member
from bench.measure import Load, requests_of
from bench.operations import Operation
from bench.run import answer_of, out, sign_in

CONNECTIONS = 4
ROUNDS = 3
MOST = 100
SLACK = 1.3
"""Most that a further piece may cost, as a share of the first ones: a busy machine is not exact."""

WIDE = {"LANDFALL_MAX_ALIASES": "1000", "LANDFALL_MAX_COST": "1000000", "LANDFALL_MAX_DEPTH": "100"}
"""Limits raised beyond what clients may ask, to measure there."""


@dataclass(frozen=True, slots=True)
class Curve:
    title: str
    points: Sequence[int]
    query: Callable[[int], str]


def page(ids: Sequence[str]) -> Callable[[int], str]:
    """Query for `size` posts with their authors and reactions."""

    def of_size(size: int) -> str:
        post = "text createdAt visibility author { id name } reactionSummary { total viewerReaction }"
        listed = ", ".join(f'"{id}"' for id in ids[:size])
        return f"{{ nodes(ids: [{listed}]) {{ id ... on Post {{ {post} }} }} }}"

    return of_size


def levels(depth: int) -> str:
    """Each level leads from five posts to their authors, and from an author to a post of theirs."""
    inner = "id"
    for _ in range(depth - 1):
        inner = f"id author {{ name posts(first: 1) {{ edges {{ node {{ {inner} }} }} }} }}"
    return f"{{ viewer {{ feed(first: 5, sort: NEWEST) {{ edges {{ node {{ {inner} }} }} }} }} }}"


def fields(count: int) -> str:
    names = ("text", "id", "commentCount", "createdAt", "visibility")
    asked = " ".join(f"f{number}: {names[number % len(names)]}" for number in range(count))
    return f"{{ viewer {{ feed(first: 5, sort: NEWEST) {{ edges {{ node {{ {asked} }} }} }} }} }}"


def curves(member: Member, token: str) -> list[Curve]:
    known = Operation(
        "ids", "", f"{{ viewer {{ changes(limit: {MOST}, types: [POST]) {{ nodes {{ id }} }} }} }}", {}
    )
    ids = [node["id"] for node in answer_of(member, known, token)["data"]["viewer"]["changes"]["nodes"]]
    if len(ids) < MOST:
        sys.exit(f"Only {len(ids)} posts are in sight: take a larger --scale.")
    return [
        Curve("Page size", (1, 10, 25, 50, MOST), page(ids)),
        Curve("Nested levels", (1, 2, 3, 4, 5), levels),
        Curve("Fields", (1, 25, 50, 100, 200), fields),
    ]


def further(points: Sequence[int], costs: Sequence[float]) -> float:
    """Marginal cost in the second half of a curve, as a share of that in the first."""
    middle = len(points) // 2
    first = (costs[middle] - costs[0]) / (points[middle] - points[0])
    second = (costs[-1] - costs[middle]) / (points[-1] - points[middle])
    return second / first if first > 0 else 0.0


def measure(member: Member, token: str, seconds: float) -> bool:
    """Print all curves; whether each is linear or better."""
    fine = True
    with Load() as load:
        for curve in curves(member, token):
            costs = _costs(load, member, token, curve, seconds)
            grows = further(curve.points, costs)
            fine = fine and grows <= SLACK
            table = Table(curve.title, *map(str, curve.points))
            table.add_row("CPU ms per request", *(f"{cost:.2f}" for cost in costs))
            out.print(table)
            verdict = "linear or better" if grows <= SLACK else "WORSE THAN LINEAR"
            out.print(f"A further one costs {grows:.2f} of one of the first: {verdict}.")
    return fine


def _costs(load: Load, member: Member, token: str, curve: Curve, seconds: float) -> list[float]:
    """The least of some rounds each: what else the machine does only adds."""
    operations = [Operation(f"{point}", "", curve.query(point), {}) for point in curve.points]
    for operation in operations:
        answer = answer_of(member, operation, token)
        if "data" not in answer or answer.get("errors"):
            sys.exit(f"{curve.title}, {operation.name}: {str(answer)[:500]}")
        load.run(member, requests_of(operation, member, [token]), CONNECTIONS, 0.2)
    rounds = [[_cost(load, member, token, each, seconds) for each in operations] for _ in range(ROUNDS)]
    return [min(costs) for costs in zip(*rounds, strict=True)]


def _cost(load: Load, member: Member, token: str, operation: Operation, seconds: float) -> float:
    before = member.cpu()
    seen = load.run(member, requests_of(operation, member, [token]), CONNECTIONS, seconds)
    return float((member.cpu() - before) / seen["requests"] * 1000)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-growth", description=__doc__)
    parser.add_argument("--scale", type=float, default=1, help="times the demo data")
    parser.add_argument("--seconds", type=float, default=0.8, help="of each point and round")
    chosen = parser.parse_args()
    with dataset.prepared(chosen.scale, out) as servers, fleet.fleet(servers) as started:
        started.start(KINDS[:1], {**started.landfall(), **WIDE})
        [member] = started.members
        viewer = sign_in(f"http://127.0.0.1:{member.port}/graphql", dataset.viewers(servers)[0])
        if not measure(member, viewer["token"], chosen.seconds):
            sys.exit("Something grows faster than what is asked for.")


if __name__ == "__main__":
    main()
