"""Step-up, as clients see it."""

from core.binding import input_, type_
from core.binding.common import MutationInput, Payload
from core.ids import Id
from core.text import Code, Opaque
from schema.auth.accounts import User
from schema.auth.flows import AuthFlow
from schema.auth.keys import KeyProofInput
from schema.auth.sessions import Session, TokenPair
from stores.auth import OtpMethod


@input_
class StepUpInput(MutationInput):
    """One proof of who you are."""

    password: Opaque | None
    """Your password."""
    key: KeyProofInput | None
    """A challenge of `beginKeySignIn`, signed by a key of yours."""
    flow_id: Id | None
    """With `code`: the flow that an earlier `stepUp` with a `method` opened."""
    code: Code | None
    """The digits received for that flow."""
    method: OtpMethod | None
    """No proof yet: send a code this way, and answer with its flow."""


@type_
class StepUpPayload(Payload):
    """The same session, freshly proven."""

    tokens: TokenPair | None
    """Tokens good for sensitive mutations for ten minutes; null when refused."""
    session: Session | None
    """The session."""
    user: User | None
    """Whose session it is."""
    flow: AuthFlow | None
    """When a code was asked for; after a wrong one it tells the attempts left."""
