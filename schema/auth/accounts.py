"""People, as clients see them."""

from datetime import datetime

from core.binding import derived, enum, local, node
from core.binding.common import Entity
from resolvers import auth
from stores.auth import Role, UserStatus

for each in (
    Role,
    UserStatus,
):
    enum(each)


@node("user")
class User(Entity):
    """A person with an account."""

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
    email: str | None = local(auth.private("email"), "email")
    """Email address; null unless you are this person or an administrator."""
    email_verified: bool | None = local(auth.private("email_verified"), "email_verified")
    """Whether the address was proven; null unless you are this person or an administrator."""
    locale: str | None = local(auth.private("locale"), "locale")
    """Language tag (BCP 47); null unless you are this person or an administrator."""
    time_zone: str | None = local(auth.private("time_zone"), "time_zone")
    """IANA time zone; null unless you are this person or an administrator."""
    roles: list[Role] | None = local(auth.private("roles"), "roles")
    """What they may do; null unless you are this person or an administrator."""
    org: str | None = local(auth.org, "org")
    """Organisation, `personal` for none; null unless you are this person or an administrator."""
    deletion_due_at: datetime | None = local(auth.private("deletion_due_at"), "deletion_due_at")
    """When the account will be deleted, if its owner asked for that; null for everybody else."""
    status: UserStatus | None = local(auth.private("status"), "status")
    """Where the account is in its life; null unless you are this person or an administrator."""
