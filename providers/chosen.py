"""Provider selection: implementations of the ports for this process, as the settings say."""

from collections.abc import AsyncIterator

from aiohttp import ClientSession
from redis.asyncio import Redis

from core.callbacks import Webhooks
from core.ports import Kms, SlackPoster, TeamsPoster, VoiceCaller
from core.security.crypto import Keyring
from core.services import NotReady, service
from core.settings import Settings
from core.sync.log_offset import Signer
from ports.audit import AuditSettings, LockedStorage, Timestamper
from ports.auth import AuthSettings, Captcha, GeoIp, Risk
from ports.barcode import ArticleNames, BarcodeSettings, CodeReader
from ports.feed import Classifier, FeedSettings, Previewer, Rankers
from ports.media import MediaProcessor, Scanner
from ports.order import PaymentGateway, PaymentSettings
from providers.article_names import NoNames, OpenFoodFacts
from providers.captcha import Unasked
from providers.code_reader import PictureCodes
from providers.field_keys import FieldKeys
from providers.formula import Formula
from providers.geoip import Nowhere, PlacesFile
from providers.judge import Elsewhere
from providers.provider_setup import Providers, chosen_providers
from providers.rules import Rules
from providers.storage import Storage, locked_objects, storage
from providers.stripe_gateway import StripeGateway
from providers.timestamps import authority
from providers.web import Web


def chosen(
    settings: Settings, redis: Redis, http: ClientSession, signer: Signer
) -> tuple[Providers, Storage]:
    """Build the providers that any system may use; NotReady names a setting that cannot be right."""
    try:
        return chosen_providers(settings, redis, http), storage(settings, signer)
    except ValueError as problem:
        raise NotReady(str(problem)) from None


@service
async def kms(crypto: Keyring) -> AsyncIterator[Kms]:
    yield FieldKeys(crypto)


@service
async def captcha(beyond: Providers) -> AsyncIterator[Captcha]:
    yield beyond.captcha or Unasked()


@service
async def voice(beyond: Providers) -> AsyncIterator[VoiceCaller]:
    yield beyond.voice


@service
async def slack(beyond: Providers) -> AsyncIterator[SlackPoster]:
    yield beyond.slack


@service
async def teams(beyond: Providers) -> AsyncIterator[TeamsPoster]:
    yield beyond.teams


@service
async def webhooks(beyond: Providers) -> AsyncIterator[Webhooks]:
    yield beyond.webhooks


@service
async def risk(beyond: Providers) -> AsyncIterator[Risk]:
    yield beyond.risk


@service
async def places(settings: AuthSettings) -> AsyncIterator[GeoIp]:
    try:
        known = PlacesFile(settings.places_file) if settings.places_file else Nowhere()
    except ValueError as problem:
        raise NotReady(str(problem)) from None
    yield known


@service
async def scanner(kept: Storage) -> AsyncIterator[Scanner]:
    yield kept.scanner


@service
async def processor(kept: Storage) -> AsyncIterator[MediaProcessor]:
    yield kept.processor


@service
async def classifier(settings: FeedSettings, http: ClientSession) -> AsyncIterator[Classifier]:
    rules, url = Rules(), settings.classifier_url
    yield Elsewhere(http, url, settings.classifier_token.get_secret_value(), rules) if url else rules


@service
async def rankers() -> AsyncIterator[Rankers]:
    yield Formula


@service
async def previewer() -> AsyncIterator[Previewer]:
    yield Web()


@service
async def locked_storage(
    whole: Settings, settings: AuditSettings, signer: Signer
) -> AsyncIterator[LockedStorage]:
    try:
        objects = locked_objects(whole, settings, signer)
    except ValueError as problem:
        raise NotReady(str(problem)) from None
    yield LockedStorage(objects)


@service
async def timestamper(settings: AuditSettings, http: ClientSession) -> AsyncIterator[Timestamper]:
    try:
        chosen = authority(settings, http)
    except (OSError, ValueError) as problem:
        raise NotReady(f"LANDFALL_AUDIT_TIMESTAMP_ROOTS: {problem}") from None
    yield chosen


@service
async def payment_gateway(settings: PaymentSettings, http: ClientSession) -> AsyncIterator[PaymentGateway]:
    key = settings.stripe_key.get_secret_value()
    yield StripeGateway(http, key, settings.stripe_url, settings.payment_return_url)


@service
async def article_names(settings: BarcodeSettings, http: ClientSession) -> AsyncIterator[ArticleNames]:
    yield OpenFoodFacts(http, settings.names_url) if settings.names_url else NoNames()


@service
async def code_reader() -> AsyncIterator[CodeReader]:
    yield PictureCodes()
