"""Authentication; for other systems: people, their visibility, and push notifications."""

from resolvers.auth.devices import id_of as device_id
from resolvers.auth.exports import begin_export
from resolvers.auth.granting import hold_until as hold_role_until
from resolvers.auth.grants_held import note as note_grants
from resolvers.auth.grants_held import scope_of as grants_scope
from resolvers.auth.people import full_name, hidden, visible_people
from resolvers.auth.phones import number_changed, phone_number
from resolvers.auth.push import push
from resolvers.auth.sent import SentMessage, message_sent
from resolvers.auth.telling import AccountChanged, account_moved, change_account
from stores.auth import keepers, person_scopes

__all__ = [
    "AccountChanged",
    "SentMessage",
    "account_moved",
    "begin_export",
    "change_account",
    "device_id",
    "full_name",
    "grants_scope",
    "hidden",
    "hold_role_until",
    "keepers",
    "message_sent",
    "note_grants",
    "number_changed",
    "person_scopes",
    "phone_number",
    "push",
    "visible_people",
]
