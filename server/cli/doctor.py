"""`landfall doctor`: what is set up, in words, and what is wrong with it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from server import variables
from server.cli.base import app, deployment, out, problem, run

if TYPE_CHECKING:
    from core.context import Services


@dataclass(slots=True)
class Findings:
    """Findings of all health checks: the state of each part, and the problems."""

    parts: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@app.command()
def doctor() -> None:
    """Check settings, MongoDB and Redis; say what is set up, and fail with what must be put right."""
    configured = deployment()
    from server import lifespan

    async def check() -> Findings:
        async with lifespan.services(configured) as services:
            return await _examined(services)

    found = run(check())
    table = Table("Part", "Found")
    for name, said in found.parts.items():
        table.add_row(name, said)
    out.print(table)
    for each in found.problems:
        problem.print(f"- {each}", style="red", markup=False, highlight=False, soft_wrap=True)
    if found.problems:
        raise typer.Exit(1)


async def _examined(services: "Services") -> Findings:
    from core.checkup import checkup
    from providers import checkup as checkups

    settings = services.settings
    found = Findings()
    found.parts["Public address"] = settings.public_url or "the request's own: set LANDFALL_PUBLIC_URL"
    found.parts["MongoDB"] = await _mongodb(services)
    found.parts["Redis"] = await _redis(services)
    if found.parts["Redis"] == AWAY:
        found.problems.append("Redis does not answer. Everything works, but what is live comes later.")
    found.problems += [variables.warning(name) for name in variables.unknown()]
    of_systems = [each for part in await checkup(services) for each in part]
    for part, said, wrong in (*checkups.findings(services), *of_systems):
        found.parts[part] = said
        found.problems += [wrong] if wrong else []
    found.parts["Longest transaction"] = f"{services.live.overlap.total_seconds() - 1:g} s"
    return found


AWAY = "does not answer"


async def _mongodb(services: "Services") -> str:
    hello = await services.db.command({"hello": 1})
    build = await services.db.command({"buildInfo": 1})
    kind = f"replica set {hello['setName']}" if "setName" in hello else "sharded cluster"
    return f"{build['version']}, {kind}"


async def _redis(services: "Services") -> str:
    from redis.exceptions import NoPermissionError, RedisError

    try:
        told: dict[str, Any] = await services.redis.info("server")
        return str(told["redis_version"])
    except NoPermissionError:
        return "answers"
    except (RedisError, OSError):
        return AWAY
