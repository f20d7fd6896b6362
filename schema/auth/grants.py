"""Reading, granting and revoking roles: root fields of grants, which are among those of accounts."""

from core import nodes
from core.audit import Audited
from core.graphql import Edge, Page, connection, local, mutation, query, type_
from core.ids import Id
from resolvers.auth import granting, grants_shown, people
from schema.auth.types import Grant
from stores.auth import AuthFactor


@type_
class GrantQueries:
    """Reading of grants."""

    grant: Grant | None = query(nodes.reader("grant"))
    """Grant by its id; null when there is none in force or it is hidden from you."""
    grants: Page[Grant] = query(grants_shown.grants)
    """Grants in force of the roles that you may give, in what you may give them in, newest first; FORBIDDEN
    when there are no such roles. Administrators see all grants."""


@type_
class GrantsOfViewer:
    """Fields of the viewer: factors that were proven, roles that were granted."""

    factors: list[AuthFactor] = local(people.factors)
    """Factors that were proven in this session, at most five, as the access token tells: a key counts as
    two."""
    grants: Page[Grant] = connection(grants_shown.own_grants)
    """Roles granted to you that are in force, newest first."""


@type_
class GrantMutations:
    """Granting and revoking roles."""

    grant_role = mutation(
        granting.grant_role,
        audit=Audited("auth.role_granted", "ACCESS_GRANTED", "ACCOUNT", "user_id", "user_id"),
        refuses="LIMIT_REACHED NO_ORGANIZATION OUT_OF_RANGE REQUIRED",
        returns={"grant": Grant, "grant_edge": Edge[Grant]},
        fresh=True,
        user_id="Id of the person who gets the role; for a role of an organization, one of its members.",
        role="Role that the person gets, of those that you may give.",
        scope_id="Id of the thing that a role of a PROVIDER, RESTAURANT, SITE or PLANT is held in; not for "
        "roles of other scopes.",
        held_until="Time at which the grant ends; it lasts until it is revoked when left out.",
    )
    """Grant a role to a person, in force at once; granting it again changes when it ends. FORBIDDEN unless
    you are an administrator or hold a role whose holders may give it."""
    revoke_role = mutation(
        granting.revoke_role,
        audit=Audited("auth.role_revoked", "ACCESS_GRANTED", "ACCOUNT", "user_id", "user_id"),
        refuses="NO_ORGANIZATION REQUIRED",
        returns={
            "deleted_grant_id": (
                Id,
                "Id of the grant to forget; null when the role was not held, and when refused.",
            )
        },
        fresh=True,
        user_id="Id of the person who loses the role.",
        role="Role that the person loses, of those that you may give.",
        scope_id="Id of the thing that the role is held in, as for `grantRole`.",
    )
    """Revoke a role of a person, at once; succeeds when it is not held. It can be granted again."""
