"""People, as clients see them."""

from datetime import datetime

from core.binding import derived, local, node, type_
from core.binding.common import Entity
from resolvers import auth
from resolvers.auth import telling
from stores.auth import OtpMethod, Role, UserStatus


@type_
class TwoFactorSettings:
    """How a sign-in is confirmed."""

    enabled: bool
    """Whether signing in asks for a code."""
    method: OtpMethod | None
    """How codes travel; null when off."""
    masked_destination: str | None
    """Where they go, mostly hidden; null when off."""
    backup_codes_left: int
    """How many backup codes were not used yet."""


@node("user")
class User(Entity):
    """A person with an account.

    People you follow and people you chat with (of 5,000 chats at most) are part of what you sync, unless you
    are hidden from each other: their names, pictures and counters are told. Of everybody else they are as old
    as the answer you have them from: pages bring them as they are now."""

    version: int = local(telling.version, "version", "private_changes")
    """Rises with every edit; send your own as `expectedVersion` to learn of edits made elsewhere meanwhile.
    Of others it counts what you may read of them."""
    updated_at: datetime = local(telling.updated_at, "updated_at", "shown_at", "created_at")
    """When something of it last changed; of others, when what you may read did, counters aside."""
    first_name: str | None
    """Given name; null when not given."""
    last_name: str | None
    """Family name; null when not given."""
    name: str = derived(auth.full_name, "first_name", "last_name", "handle")
    """First and last name, else the handle: what to show."""
    handle: str | None
    """Unique short name, without @; null until chosen."""
    bio: str | None
    """A few words about themselves; null when none."""
    email: str | None = local(auth.email, "email")
    """Email address; mostly hidden from administrators, null for everybody else."""
    email_verified: bool | None = local(auth.private("email_verified"), "email_verified")
    """Whether the address was proven; null unless you are this person or an administrator."""
    phone_masked: str | None = local(auth.private("phone_masked"), "phone_masked")
    """Phone number but for its last two digits; null when none, and for everybody else."""
    two_factor: TwoFactorSettings | None = local(auth.two_factor, "two_factor")
    """The second factor; null unless you are this person or an administrator."""
    locale: str | None = local(auth.private("locale"), "locale")
    """Language tag (BCP 47); null unless you are this person or an administrator."""
    time_zone: str | None = local(auth.private("time_zone"), "time_zone")
    """IANA time zone; null unless you are this person or an administrator."""
    roles: list[Role] | None = local(auth.private("roles"), "roles")
    """What they may do; null unless you are this person or an administrator."""
    org: str | None = local(auth.org, "org")
    """Organisation, `personal` for none; null unless you are this person or an administrator."""
    job_role: str | None = local(auth.private("job_role"), "job_role")
    """What they do in their organisation; null unless you are this person or an administrator."""
    deletion_due_at: datetime | None = local(auth.private("deletion_due_at"), "deletion_due_at")
    """When the account will be deleted, if its owner asked for that; null for everybody else."""
    status: UserStatus | None = local(auth.private("status"), "status")
    """Where the account is in its life; null unless you are this person or an administrator."""
