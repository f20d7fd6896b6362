"""The `landfall` command."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from core import jobs, logs, sealing, settings
from core.audit import audited
from core.context import Context
from core.crypto import Keyring
from core.settings import Settings
from resolvers.auth import admin, breached, signing
from server import assembly
from stores import auth

app = typer.Typer(
    help="Landfall: a GraphQL backend-for-frontend for mobile apps that lose their connection.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console()
problem = Console(stderr=True)
jobs_app = typer.Typer(help="Background work that failed for good.", no_args_is_help=True)
app.add_typer(jobs_app, name="jobs")
keys_app = typer.Typer(
    help="Keys that sign access tokens, and those that encrypt fields.", no_args_is_help=True
)
app.add_typer(keys_app, name="keys")
passwords_app = typer.Typer(help="Passwords that nobody may choose.", no_args_is_help=True)
app.add_typer(passwords_app, name="passwords")
operations_app = typer.Typer(help="Documents that apps may name instead of sending.", no_args_is_help=True)
app.add_typer(operations_app, name="operations")

SNAPSHOT = Path(__file__).parents[1] / "schema" / "schema.graphql"


def refusal(reason: object) -> typer.Exit:
    """Says why on stderr, as it is and on one line; to be raised."""
    problem.print(str(reason), style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(1)


def environment() -> Settings:
    """The settings; a bad one ends with its name and exit code 1."""
    try:
        return settings.from_environment()
    except ValidationError as error:
        # The values themselves may be secret.
        wrong = [f"LANDFALL_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
        raise refusal("\n".join(wrong)) from None


def run(work: Any) -> Any:
    """Run on uvloop; a missing server or setting ends with a sentence and exit code 1."""
    import uvloop

    try:
        return uvloop.run(work)
    except (assembly.NotReady, signing.LockedOut) as reason:
        raise refusal(reason) from None


@app.command()
def dev(
    port: Annotated[int | None, typer.Option(help="Port; by default 8000, or the next free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where databases, keys and media are kept.")] = None,
    demo: Annotated[bool, typer.Option(help="Load demo data into an empty database.")] = True,
) -> None:
    """Run everything on this machine, with embedded databases and demo data."""
    from server import dev as development

    environment()
    try:
        development.run(port=port, data_dir=data_dir, demo=demo)
    except (development.Problem, assembly.NotReady) as reason:
        raise refusal(reason) from None


@app.command()
def serve() -> None:
    """Serve GraphQL on the configured MongoDB and Redis."""
    from server import process

    configured = environment()
    logs.configure(configured)
    run(process.serve(configured))


@app.command()
def worker() -> None:
    """Run background work on the configured MongoDB and Redis."""
    from server import process

    configured = environment()
    logs.configure(configured)
    run(process.work(configured))


@app.command()
def schema(
    write: Annotated[bool, typer.Option("--write", help="Write schema/schema.graphql.")] = False,
) -> None:
    """Print the schema in SDL."""
    sdl = assembly.make_schema(Settings()).as_str() + "\n"
    if write:
        SNAPSHOT.write_text(sdl)
    else:
        sys.stdout.write(sdl)


@app.command()
def seed(
    scale: Annotated[
        float, typer.Option(help="1 is 200 people, 2,000 posts, 8,000 comments, 800 products.")
    ] = 1.0,
) -> None:
    """Load demo data into the configured database."""
    from devstack import seed as demo

    configured = environment()

    async def fill() -> Any:
        async with assembly.services(configured) as services:
            if await demo.seeded(services.db):
                raise assembly.NotReady("This database has demo data already.")
            size = demo.Size().scaled(scale)
            return await demo.seed(
                services.db,
                configured.media_dir,
                services.crypto,
                size=size,
                until=demo.lately(),
                production=configured.production,
            )

    try:
        out.print(f"Loaded {run(fill())}.")
    except demo.Refused as reason:
        raise refusal(reason) from None


@app.command()
def doctor() -> None:
    """Check settings, MongoDB and Redis, and say what is wrong."""
    configured = environment()

    async def check() -> dict[str, str]:
        async with assembly.services(configured) as services:
            hello = await services.db.command({"hello": 1})
            build = await services.db.command({"buildInfo": 1})
            redis = await services.redis.info("server")
            return {
                "Public address": configured.public_url or "the request's own: set LANDFALL_PUBLIC_URL",
                "MongoDB": f"{build['version']}, replica set {hello['setName']}",
                "Redis": str(redis["redis_version"]),
                "Media": configured.media_store or str(configured.media_dir),
                "HEIC": "taken" if services.studio.heic else "refused: pillow-heif is not installed",
                "Films": "taken" if services.studio.films else "refused: ffmpeg is missing or turned off",
                "Malware scanner": configured.clamd or "built in: the test signature alone",
                "Mail": _named(services.mailer),
                "Text messages": ", then ".join(map(_named, services.texters)),
                "Pushes": _named(services.pusher),
                "CAPTCHAs": _named(services.captcha) if services.captcha else "not asked for",
                "Longest transaction": f"{services.live.overlap.total_seconds() - 1:g} s",
            }

    table = Table("Part", "Found")
    for name, found in run(check()).items():
        table.add_row(name, found)
    out.print(table)


def _named(provider: object) -> str:
    """What stands behind a port; `Unsent...` says that nothing is set up."""
    return type(provider).__name__


@app.command()
def roles(
    email: str,
    given: Annotated[list[str], typer.Argument(metavar="ROLE...", help="All roles the person shall have.")],
    org: Annotated[str | None, typer.Option(help="Organisation they belong to.")] = None,
) -> None:
    """Give a person roles: the first administrator has nobody else to ask."""
    configured = environment()
    unknown = sorted(set(given) - set(auth.Role))
    if unknown:
        raise refusal(f"There is no role {unknown[0]}; there are {', '.join(auth.Role)}.")

    async def assign() -> list[str] | None:
        async with assembly.services(configured) as services:
            ctx = Context(services)

            async def write() -> list[str] | None:
                user = await auth.user_by_email(ctx.db, email)
                if user is None:
                    return None
                changed = await admin.assigned(ctx, user, [auth.Role(each) for each in given], org)
                await audited(ctx, "auth.assign_roles", subject_id=user["_id"], by="command line")
                return list(changed["roles"])

            return await ctx.unit(write)

    assigned = run(assign())
    if assigned is None:
        raise refusal(f"Nobody signed up as {email}.")
    out.print(f"{email} is {', '.join(assigned)}.")


@keys_app.command("list")
def list_keys() -> None:
    """List the keys, oldest first."""
    configured = environment()

    async def read() -> list[Any]:
        async with assembly.database(configured) as db:
            return await auth.all_signing_keys(db)

    table = Table("Key", "Signs from", "Can sign")
    for key in run(read()):
        table.add_row(
            key["_id"], f"{key['signs_from']:%Y-%m-%d %H:%M} UTC", "yes" if key["private"] else "no"
        )
    out.print(table)


@keys_app.command("rotate")
def rotate_keys(
    distrust: Annotated[bool, typer.Option(help="Refuse every token that older keys signed.")] = False,
) -> None:
    """Sign with a new key from now on; every process knows it within a minute."""
    configured = environment()

    async def rotate() -> str | None:
        # Not the services: they do not start when the present key cannot be opened.
        async with assembly.database(configured) as db:
            crypto = assembly.field_keys(configured)
            return await signing.rotate(db, crypto, at_once=True, distrust=distrust)

    out.print(f"{run(rotate())} signs from now on.")


@keys_app.command("seal")
def seal_anew() -> None:
    """Seal anew what former field keys sealed; workers do it by themselves, this says when it is done."""
    configured = environment()

    async def seal() -> tuple[sealing.Run, Keyring]:
        async with assembly.database(configured) as db:
            crypto = assembly.field_keys(configured)
            return await sealing.seal_anew(db, crypto), crypto

    ran, crypto = run(seal())
    out.print(f"{ran.anew:,} texts are sealed with {crypto.current} now.")
    if ran.unreadable:
        raise refusal(f"{ran.unreadable:,} texts cannot be opened: the field key they need is missing.")
    if crypto.former and not ran.anew:
        out.print(f"Nothing is left of {', '.join(crypto.former)}: take them out of LANDFALL_FIELD_KEYS.")
    elif crypto.former:
        out.print("When no process that seals with an older key is running any more, do this again.")


@passwords_app.command("renew")
def renew_passwords(
    file: Annotated[Path, typer.Argument(help="A list as Have I Been Pwned's downloader writes it.")],
) -> None:
    """Put a newly downloaded list of breached passwords in the place of the present one; once a month."""
    present = environment().breached_passwords_file
    if present is None:
        raise refusal("Set LANDFALL_BREACHED_PASSWORDS_FILE to where the list is to lie.")
    try:
        count = breached.renew(file, present)
    except (OSError, ValueError) as wrong:
        raise refusal(f"{file}: {wrong}") from None
    out.print(f"{count:,} breached passwords are refused from now on.")


@jobs_app.command("dead")
def dead() -> None:
    """List errands that failed for good."""
    configured = environment()

    async def list_dead() -> list[jobs.Errand]:
        async with assembly.services(configured) as services:
            return await jobs.dead(services.db)

    table = Table("Id", "Task", "Arguments", "Attempts", "Error")
    for errand in run(list_dead()):
        arguments = json.dumps(errand["arguments"])
        table.add_row(errand["_id"], errand["task"], arguments, str(errand["attempts"]), errand["error"])
    out.print(table)


@jobs_app.command("retry")
def retry(id: str) -> None:
    """Try a dead errand again."""
    configured = environment()

    async def revive() -> bool:
        async with assembly.services(configured) as services:
            return await jobs.revive(services.db, id)

    if not run(revive()):
        raise refusal(f"There is no dead errand {id}.")
    out.print(f"{id} will be tried again.")


@operations_app.command("add")
def add_operations(
    files: Annotated[list[Path], typer.Argument(help="Manifests of Apollo, Relay or graphql-codegen.")],
) -> None:
    """Register the operations of an app's build; one that does not fit the schema is refused with all."""
    from server import trusted

    configured = environment()
    found = []
    for file in files:
        try:
            found += trusted.read(file.read_bytes(), assembly.make_schema(configured))
        except (OSError, ValueError) as problem:
            raise refusal(f"{file}: {problem}") from None

    async def add() -> int:
        async with assembly.services(configured) as services:
            return await trusted.add(services.db, found)

    out.print(f"{run(add()):,} new of {len(found):,} operations.")
