"""Step-up, as clients see it."""

from core.binding import input_, type_
from core.binding.common import MutationInput, Payload
from schema.auth.accounts import User
from schema.auth.keys import KeyProofInput
from schema.auth.sessions import Session, TokenPair


@input_
class StepUpInput(MutationInput):
    """One proof of who you are."""

    password: str | None
    """Your password."""
    key: KeyProofInput | None
    """A challenge of `beginKeySignIn`, signed by a key of yours."""


@type_
class StepUpPayload(Payload):
    """The same session, freshly proven."""

    tokens: TokenPair | None
    """Tokens good for sensitive mutations for ten minutes; null when refused."""
    session: Session | None
    """The session."""
    user: User | None
    """Whose session it is."""
