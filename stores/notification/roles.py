"""Roles of an organization in notification."""

from core.grants import GrantScope, grant_role

NOTIFY_ADMIN = grant_role(
    "NOTIFY_ADMIN",
    GrantScope.ORGANIZATION,
    "Gives the other roles of notification in the organization; sets what its members agree to, with proof, "
    "and has their profiles exported and erased.",
)
NOTIFY_SENDER = grant_role(
    "NOTIFY_SENDER",
    GrantScope.ORGANIZATION,
    "Sends notifications to people of the organization, whose addresses are shown mostly hidden; no "
    "permissions in this API.",
    given_by=[NOTIFY_ADMIN],
)
NOTIFY_AUDITOR = grant_role(
    "NOTIFY_AUDITOR",
    GrantScope.ORGANIZATION,
    "Listens to recordings of the organization's calls; each time is on record; no permissions in this API.",
    given_by=[NOTIFY_ADMIN],
)
