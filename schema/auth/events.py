"""What the stream of one's sessions tells."""

from typing import Annotated

from core.graphql import Updated, type_, union
from core.graphql.common import Event, ResyncRequired
from core.ids import Id
from schema.auth.types import Account, SecurityEvent, Session
from stores.auth import SessionEndReason


@type_
class SessionStarted(Event):
    """You signed in somewhere."""

    session: Session
    """The new session."""


@type_
class SessionEnded(Event):
    """A session is over; if it is this device's, its tokens are good no more."""

    session_id: Id
    """The session."""
    end_reason: SessionEndReason
    """Why it ended."""


@type_
class SecurityAlert(Event):
    """Something happened to the safety of your account that you should know at once."""

    event: SecurityEvent
    """What happened."""


@type_
class TwoFactorChanged(Event):
    """Your second factor was turned on, off or changed."""

    account: Account
    """Your account as it is now."""


SessionEvent = Annotated[
    SessionStarted | Updated[Session] | SessionEnded | SecurityAlert | TwoFactorChanged | ResyncRequired,
    union("SessionEvent", "What happens to your sessions and the safety of your account."),
]
