"""Services of authentication: signing keys, tokens, revocations, and the cost of password hashes."""

from collections.abc import AsyncIterator, Sequence

from argon2 import PasswordHasher

from core.checkup import Finding, checkup
from core.context import Services, Viewer
from core.grants import GrantsOfPeople
from core.hooks import on
from core.security.crypto import Deployment, Keyring
from core.services import NotReady, service
from core.sessions import Sessions
from core.storage.mongo import Database
from core.sync.live import Live
from ports.auth import AuthSettings
from resolvers.auth import passwords
from resolvers.auth.grants_held import GrantsHeld
from resolvers.auth.revocations import Revocations
from resolvers.auth.signing import SigningKeys
from resolvers.auth.tokens import Tokens


@service
async def signing_keys(db: Database, crypto: Keyring, deployment: Deployment) -> AsyncIterator[SigningKeys]:
    keys = SigningKeys(db, crypto)
    try:
        await keys.start(deployment.signing_key)
    except ValueError as problem:
        raise NotReady(f"LANDFALL_SIGNING_KEY_FILE: {problem}") from None
    try:
        yield keys
    finally:
        await keys.stop()


@service
async def tokens(keys: SigningKeys, deployment: Deployment, settings: AuthSettings) -> AsyncIterator[Tokens]:
    issuer, audience = settings.token_issuer, settings.token_audience
    yield Tokens(keys, deployment.secret, issuer=issuer, audience=audience)


@service
async def revocations(db: Database, live: Live) -> AsyncIterator[Revocations]:
    made = Revocations(db, live)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()


@service
async def grants_held(db: Database, live: Live) -> AsyncIterator[GrantsHeld]:
    made = GrantsHeld(db, live)
    made.start()
    try:
        yield made
    finally:
        await made.stop()


@service
async def grants_of_people(held: GrantsHeld) -> AsyncIterator[GrantsOfPeople]:
    yield held


class Judge:
    """Implements `core.sessions.Sessions`."""

    def __init__(self, tokens: Tokens, revocations: Revocations) -> None:
        self._tokens, self._revocations = tokens, revocations
        self.expires_at = tokens.expires_at
        self.watch = revocations.watch
        self.forget = revocations.forget

    def viewer(self, token: str) -> Viewer:
        viewer = self._tokens.verify(token)
        self._revocations.check(viewer)
        return viewer


@service
async def sessions(tokens: Tokens, revocations: Revocations) -> AsyncIterator[Sessions]:
    yield Judge(tokens, revocations)


@on(checkup)
async def passkeys(services: Services) -> Sequence[Finding]:
    rp_id = services.get(AuthSettings).rp_id
    known = rp_id != "localhost" or not services.settings.production
    said = f"on {rp_id}" if known else "on localhost alone: set LANDFALL_RP_ID to your app's domain"
    return [Finding("Passkeys", said)]


@service
async def hasher(settings: AuthSettings) -> AsyncIterator[PasswordHasher]:
    cost = {"memory_kib": settings.password_memory_kib, "rounds": settings.password_rounds}
    with passwords.using(**cost) as made:
        yield made
