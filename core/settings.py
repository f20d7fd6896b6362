"""Every setting of Landfall, read once from the environment by the server.

A system declares its own in `ports/` and asks for them as for a service: `ctx.services.get(FeedSettings)`.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


def _in_capitals(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


class Settings(BaseSettings):
    """`LANDFALL_...` variables of the whole; what is given beside them is for settings of systems."""

    model_config = SettingsConfigDict(env_prefix="LANDFALL_", frozen=True, extra="allow")

    env: Environment = Field(Environment.DEVELOPMENT, description="development, test or production.")
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the server listens on; 0 takes a free one.")
    public_url: str = Field(
        "",
        description="Address phones use, `https://...`, for links and media; required in production, else "
        "empty: the request's.",
    )

    mongo_url: str = Field("", description="MongoDB replica set; empty in `dev`: an embedded one.")
    mongo_database: str = Field("landfall", description="Database name.")
    mongo_driver: Literal["motor", "pymongo"] = Field("motor", description="Driver: motor or pymongo.")
    redis_url: str = Field("", description="Redis; empty in `dev`: an embedded one.")
    start_timeout: float = Field(10.0, gt=0, description="Seconds to wait for MongoDB at start.")

    transaction_lifetime: float = Field(
        60.0,
        gt=0,
        description="MongoDB's `transactionLifetimeLimitSeconds`, for a user that may not read it.",
    )

    data_dir: Path = Field(Path(".landfall"), description="Where `dev` keeps databases, keys and media.")
    media_dir: Path = Field(Path(".landfall/media"), description="Where media files lie on disk.")
    media_store: str = Field(
        "", description="`s3://bucket/prefix`: media in an S3-compatible store; empty: on disk."
    )
    s3_endpoint: str = Field("", description="Address of the S3-compatible store; empty: Amazon's.")
    s3_region: str = Field("us-east-1", description="Region of the bucket.")
    s3_access_key_id: str = Field("", description="Access key; empty: that of the machine or container.")
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="Secret of the access key.")

    secret: SecretStr = Field(
        SecretStr(""), description="Server secret, 32 characters or more; required in production."
    )
    signing_key_file: Path | None = Field(
        None,
        description="PEM file of the first ES256 key that signs access tokens; later ones are made, and kept "
        "encrypted in MongoDB. Empty: the first too.",
    )
    field_keys: SecretStr = Field(
        SecretStr(""),
        description="Keys that encrypt fields, `id:base64,id:base64` of 32 bytes each; the first encrypts, "
        "all decrypt. Empty: one derived from the secret, which then must not change.",
    )
    smtp_url: str = Field(
        "", description="Mail server, `smtp://user:password@host:587`; empty: `/dev/outbox`."
    )
    mail_from: str = Field("Landfall <noreply@localhost>", description="Sender of mail.")
    sms_url: SecretStr = Field(
        SecretStr(""),
        description="SMS provider, `twilio://SID:TOKEN@api.twilio.com/+15550100` or "
        "`vonage://KEY:SECRET@rest.nexmo.com/SENDER`; empty: `/dev/outbox`.",
    )
    sms_backup_url: SecretStr = Field(
        SecretStr(""), description="SMS provider that steps in when the first fails; written alike."
    )
    voice_url: SecretStr = Field(
        SecretStr(""),
        description="Provider of calls, `twilio://SID:TOKEN@api.twilio.com/+15550100`; empty: `/dev/outbox`.",
    )
    slack_token: SecretStr = Field(
        SecretStr(""), description="Bot token of the Slack app, with `chat:write`; empty: `/dev/outbox`."
    )
    slack_url: str = Field("https://slack.com/api", description="Address of Slack's Web API.")
    vonage_signature_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret that Vonage signs callbacks to `/hooks/vonage` with (HMAC-SHA256, sent by POST); "
        "empty: none.",
    )
    slack_signing_secret: SecretStr = Field(
        SecretStr(""), description="Secret that Slack signs callbacks to `/hooks/slack` with; empty: none."
    )
    mail_hook_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret (`whsec_...`, Standard Webhooks) that the mail service signs callbacks to "
        "`/hooks/mail` with; empty: none.",
    )
    provider_rates: str = Field(
        "smtp=50,twilio=100,vonage=30,voice=10,fcm=2000,slack=5,teams=50",
        description="Messages a second that each provider is given, by all processes together.",
    )
    fcm_account_file: Path | None = Field(
        None, description="Service account of Firebase Cloud Messaging; unset: `/dev/outbox`."
    )
    fcm_url: str = Field("https://fcm.googleapis.com", description="Address of Firebase Cloud Messaging.")
    trust_proxy: int = Field(
        0, ge=0, description="How many proxies before us add to X-Forwarded-For; 0: the header is ignored."
    )

    executor: Literal["compiled", "reference"] = Field(
        "compiled", description="compiled, or reference: graphql-core for everything."
    )
    max_body_bytes: int = Field(1_000_000, gt=0, description="Largest request body accepted.")
    max_document_length: int = Field(250_000, gt=0, description="Characters of one document.")
    max_tokens: int = Field(10_000, gt=0, description="Lexical tokens of one document.")
    max_depth: int = Field(20, gt=0, description="Levels of one document.")
    max_fragments: int = Field(100, ge=0, description="Fragments in one document.")
    max_spreads: int = Field(300, ge=0, description="Spreads of fragments in one document.")
    max_aliases: int = Field(100, gt=0, description="Aliases in one document.")
    max_root_fields: int = Field(60, gt=0, description="Root fields of an operation; a queue flush has many.")
    max_directives: int = Field(100, gt=0, description="Directives in one document.")
    max_repeated_directives: int = Field(
        5, ge=0, description="Directives of one document given again where they are."
    )
    max_repeated_fields: int = Field(
        100, ge=0, description="Fields of one document given again where they are."
    )
    max_answer_bytes: int = Field(10_000_000, gt=0, description="Largest answer given.")
    max_cost: int = Field(20_000, gt=0, description="Cost of one operation; see docs/limits.md.")
    cost_per_minute: int = Field(200_000, gt=0, description="Cost that one person, or address, may use.")
    introspection: Literal["auto", "on", "off"] = Field(
        "auto", description="auto: in production for administrators only."
    )
    graphiql: Literal["auto", "on", "off"] = Field(
        "auto", description="GraphiQL for browsers at `/graphql`; auto: not in production."
    )
    trusted_documents: Literal["off", "prefer", "only"] = Field(
        "prefer", description="only: nothing runs but what `landfall operations add` was given; off: none."
    )
    max_batch: int = Field(20, gt=0, description="Operations in one array batch.")
    max_flushes: int = Field(
        4, gt=0, description="Flushes (documents of several mutations) that one process runs at once."
    )
    max_waiting_flushes: int = Field(
        8, ge=0, description="Flushes that wait for their turn, three seconds at most; others get 503."
    )
    rate_scale: float = Field(1.0, gt=0, description="Multiplies every rate limit; for load tests.")
    request_timeout: float = Field(10.0, gt=0, description="Seconds an operation may take.")
    read_timeout: float = Field(
        15.0,
        gt=0,
        description="Seconds of silence after which a request that is to come, or is coming, is ended.",
    )
    max_connections: int = Field(
        1_000,
        ge=0,
        description="Connections, and sockets, that one address may hold open with one process; 0: any "
        "number. Behind proxies of ours (`LANDFALL_TRUST_PROXY`) only sockets are counted.",
    )
    max_subscriptions: int = Field(100, gt=0, description="Operations open at once on one socket.")
    compress_above: int = Field(
        2_048, ge=0, description="Bytes from which on answers are compressed; 0: a proxy does it."
    )
    allowed_origins: tuple[str, ...] = Field((), description="Web origins allowed to call from a browser.")

    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token for `/metrics`; empty: in production only this machine may read it.",
    )
    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto: readable in dev.")
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_in_capitals)
    ] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @property
    def production(self) -> bool:
        return self.env is Environment.PRODUCTION

    @property
    def shows_graphiql(self) -> bool:
        return self.graphiql == "on" or (self.graphiql == "auto" and not self.production)


class SystemSettings(BaseSettings):
    """Settings of one system, `LANDFALL_...` variables too."""

    model_config = SettingsConfigDict(env_prefix="LANDFALL_", frozen=True, extra="ignore")

    @classmethod
    def beside(cls, whole: Settings) -> Self:
        """Those that stand beside the settings of the whole: given with them, or in the environment."""
        given = whole.model_extra or {}
        return cls(**{name: given[name] for name in cls.model_fields if name in given})


def fields() -> dict[str, FieldInfo]:
    """All settings by name: those of the whole, then each system's."""
    found: dict[str, FieldInfo] = {}
    systems = sorted(SystemSettings.__subclasses__(), key=lambda kind: kind.__module__)
    kinds: list[type[BaseSettings]] = [Settings, *systems]
    for kind in kinds:
        if twice := found.keys() & kind.model_fields.keys():
            raise ValueError(f"The setting {min(twice)} is declared twice.")
        found |= kind.model_fields
    return found


def of_systems(settings: Settings) -> dict[Any, Any]:
    """Each system's settings by their class."""
    given = settings.model_extra or {}
    if unknown := given.keys() - fields().keys():
        raise ValueError(f"There is no setting {min(unknown)}.")
    return {kind: kind.beside(settings) for kind in SystemSettings.__subclasses__()}
