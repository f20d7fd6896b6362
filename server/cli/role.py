"""`landfall database-role`: the role of MongoDB with which Landfall works, and no more."""

import json

from server.cli.base import app, deployment, out


@app.command("database-role")
def database_role() -> None:
    """Print the command that creates the role of Landfall's account, which can change no audit entry."""
    configured = deployment()
    from core import discovery
    from core.storage import privileges

    discovery.all_systems()
    out.print_json(json.dumps(privileges.role(configured.mongo_database)))
