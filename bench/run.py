"""Landfall beside its peers: `make bench`. The same operations, data and machine; see bench/README.md."""

import argparse
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLObjectType, build_schema

from bench import dataset, earlier, fleet
from bench.console import console
from bench.fleet import KINDS, REFERENCE, Fleet, Kind, Member
from bench.load import MINTED_POST, minted
from bench.measure import QUICK, Database, Plan, measure
from bench.operations import OPERATIONS, TEXT, Operation, difference
from bench.report import Report, machine
from core import ids, paging
from devstack import seed
from devstack.servers import Servers
from stores.feed import FeedSort
from tests.phone import key

out = console(170)


def main() -> None:
    try:
        run(arguments())
    except RuntimeError as reason:
        # A server that does not start or answer, a missing program, a data directory in use.
        sys.exit(str(reason))


def run(chosen: argparse.Namespace) -> None:
    with ExitStack() as stack:
        wanted = [kind for kind in KINDS if not chosen.only or kind.name in (*chosen.only, REFERENCE)]
        if chosen.against:
            wanted += earlier.kinds(chosen.against, stack.enter_context(earlier.checked_out(chosen.against)))
        measured(chosen, wanted)


def measured(chosen: argparse.Namespace, wanted: Sequence[Kind]) -> None:
    if any(kind.node for kind in wanted):
        fleet.install_peers(out)
    with dataset.prepared(chosen.scale, out) as servers, fleet.fleet(servers) as started:
        tokens = start(started, wanted, servers)
        plan = QUICK if chosen.quick else Plan(rounds=chosen.rounds)
        with closing(Database(servers)) as database, database.without_posts(TEXT):
            check(started.members, tokens)
            out.print(machine())
            results = measure(started.members, OPERATIONS, tokens, plan, database)
    report = Report(started.members, OPERATIONS, results)
    report.show(out)
    if chosen.quick:
        out.print("These figures only show that everything works: Node was not warm yet.")
    if chosen.write:
        size = seed.Size().scaled(chosen.scale)
        people = f"{size.people:,} people, {size.posts:,} posts, {size.comments:,} comments"
        report.write(chosen.write, people)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round: does everything work?")
    parser.add_argument("--rounds", type=int, default=Plan().rounds, help="of half a minute each")
    parser.add_argument("--scale", type=float, default=25, help="times the demo data; 25 is 50,000 posts")
    names = [kind.name for kind in KINDS]
    parser.add_argument("--only", nargs="+", choices=names, help="these servers beside Landfall with Motor")
    parser.add_argument("--against", metavar="COMMIT", help="an earlier Landfall, too")
    parser.add_argument("--write", type=Path, help="write the figures to this Markdown file")
    chosen = parser.parse_args()
    if chosen.quick and chosen.write:
        parser.error("--quick gives no figures to write down: Node is not warm yet.")
    return chosen


def start(started: Fleet, wanted: Sequence[Kind], servers: Servers) -> list[str]:
    """Start Landfall, sign its viewers in, then start the others with its keys; the viewers' tokens."""
    ours = [kind for kind in wanted if kind.name.startswith("landfall")]
    started.start(ours, started.landfall())
    address = f"http://127.0.0.1:{started.members[0].port}"
    viewers = [sign_in(f"{address}/graphql", email) for email in dataset.viewers(servers)]
    with urllib.request.urlopen(f"{address}/.well-known/jwks.json") as answer:
        jwks = orjson.loads(answer.read())
    listings = {
        each["id"]: paging.fingerprint("feed", viewer=each["id"], sort=FeedSort.NEWEST) for each in viewers
    }
    others = [kind for kind in wanted if kind not in ours]
    started.start(others, started.peers(jwks, listings))
    return [each["token"] for each in viewers]


def sign_in(url: str, email: str) -> dict[str, str]:
    document = """
    mutation($input: SignInInput!) {
      signIn(input: $input) { tokens { accessToken } user { id } errors { code message } }
    }
    """
    given = {
        "idempotencyKey": key(),
        "email": email,
        "password": seed.PASSWORD,
        "device": {"deviceId": ids.new_id("device"), "name": "Benchmark", "platform": "OTHER"},
    }
    payload = ask(url, document, variables={"input": given})["data"]["signIn"]
    return {"token": payload["tokens"]["accessToken"], "id": payload["user"]["id"]}


def ask(url: str, query: str, *, token: str = "", variables: object = None) -> Any:
    """One answer, whatever its status."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = orjson.dumps({"query": query, "variables": variables or {}})
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return orjson.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return {"status": refusal.code, "body": refusal.read().decode(errors="replace")}


def answer_of(member: Member, operation: Operation, token: str) -> Any:
    """One answer, with ids that the benchmark minted as they stand in the operation."""
    operation = member.kind.asked(operation)
    variables = orjson.loads(minted(orjson.dumps(operation.variables).decode()))
    url = f"http://127.0.0.1:{member.port}/graphql"
    answer = ask(url, operation.query, token=token, variables=variables)
    if not variables:
        return answer
    return orjson.loads(orjson.dumps(answer).decode().replace(variables["input"]["id"], MINTED_POST))


def check(members: Sequence[Member], tokens: Sequence[str]) -> None:
    """All servers give each viewer one answer, or the benchmark ends with the first difference."""
    for problem in schema_differences():
        sys.exit(problem)
    for operation in OPERATIONS:
        asked = [member for member in members if member.kind.answers(operation)]
        size = sum(_checked(asked, operation, token) for token in tokens) // len(tokens)
        out.print(
            f"{operation.title}: {len(asked)} servers give {len(tokens)} viewers the same answers, "
            f"{size:,} bytes on average."
        )


def _checked(members: Sequence[Member], operation: Operation, token: str) -> int:
    expected = _answered(members[0], operation, token)
    for member in members[1:]:
        answer = _answered(member, operation, token)
        if member.kind.asked(operation).query != operation.query:
            # Other words have other answers: that there is one is all that can be said.
            continue
        found = difference(expected, answer, "answer")
        if found:
            sys.exit(f"{operation.title}: {members[0].kind.title} and {member.kind.title} differ. {found}")
    return len(orjson.dumps(expected))


def _answered(member: Member, operation: Operation, token: str) -> Any:
    answer = answer_of(member, operation, token)
    if "data" not in answer or answer.get("errors"):
        sys.exit(f"{operation.title}, {member.kind.title}: {orjson.dumps(answer).decode()[:1000]}")
    return answer


def schema_differences() -> Iterator[str]:
    """Differences between the peers' schema and Landfall's, which must have every field with its type."""
    whole = build_schema((dataset.ROOT / "schema" / "schema.graphql").read_text())
    part = build_schema((fleet.PEERS / "schema.graphql").read_text())
    for name, type_ in part.type_map.items():
        ours = whole.type_map.get(name)
        if isinstance(type_, GraphQLObjectType) and not name.startswith("__"):
            for field, declared in type_.fields.items():
                own = ours.fields.get(field) if isinstance(ours, GraphQLObjectType) else None
                if own is None or str(own.type) != str(declared.type):
                    yield f"peers/schema.graphql: {name}.{field} is {own.type if own else 'missing'} in ours"
        elif ours is None:
            yield f"peers/schema.graphql: there is no {name} in ours"


if __name__ == "__main__":
    main()
