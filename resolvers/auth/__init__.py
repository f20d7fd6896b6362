"""Authentication; for other systems: people, their visibility, and push notifications."""

from resolvers.auth.people import full_name, hidden, user, visible_people
from resolvers.auth.push import push
from resolvers.auth.telling import change as change_account
from stores.auth import keepers, person_scopes

__all__ = [
    "change_account",
    "full_name",
    "hidden",
    "keepers",
    "person_scopes",
    "push",
    "user",
    "visible_people",
]
