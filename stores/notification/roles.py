"""Roles of an organization in notification."""

from core.grants import GrantScope, grant_role
from stores.notification.templates import scope_of

NOTIFY_ADMIN = grant_role(
    "NOTIFY_ADMIN",
    GrantScope.ORGANIZATION,
    "Gives the other roles of notification in the organization; sets what its members agree to, with proof, "
    "has their profiles exported and erased, and writes the templates.",
    opens=scope_of,
)
NOTIFY_SENDER = grant_role(
    "NOTIFY_SENDER",
    GrantScope.ORGANIZATION,
    "Sends notifications to people of the organization, whose addresses are shown mostly hidden; reads the "
    "templates.",
    opens=scope_of,
    given_by=[NOTIFY_ADMIN],
)
NOTIFY_AUDITOR = grant_role(
    "NOTIFY_AUDITOR",
    GrantScope.ORGANIZATION,
    "Listens to recordings of the organization's calls; each time is on record; no permissions in this API.",
    given_by=[NOTIFY_ADMIN],
)
