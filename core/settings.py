"""Every setting of Landfall, read once from the environment by the server."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


def _in_capitals(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


class Settings(BaseSettings):
    """`LANDFALL_...` variables; the README's table is checked against these fields by a test."""

    model_config = SettingsConfigDict(env_prefix="LANDFALL_", frozen=True)

    env: Environment = Field(Environment.DEVELOPMENT, description="development, test or production.")
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the server listens on; 0 takes a free one.")
    public_url: str = Field(
        "",
        description="Address phones use, `https://...`, for links and media; required in production, else "
        "empty: the request's.",
    )

    shop_country: str = Field(
        "",
        pattern="^([A-Z]{2})?$",
        description="Country of the shop (ISO 3166, `DE`): its currency, and which dollar, krone or yen a "
        "supplier means; empty: euros, and such signs are unknown.",
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
    media_url: str = Field("", description="CDN address of public media; empty: our own `/media`.")
    s3_endpoint: str = Field("", description="Address of the S3-compatible store; empty: Amazon's.")
    s3_region: str = Field("us-east-1", description="Region of the bucket.")
    s3_access_key_id: str = Field("", description="Access key; empty: that of the machine or container.")
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="Secret of the access key.")
    video: Literal["auto", "on", "off"] = Field(
        "auto", description="Take films; auto: where ffmpeg is installed."
    )
    clamd: str = Field("", description="`host:port` of a ClamAV daemon; empty: the built-in scanner.")
    clamd_max_bytes: int = Field(
        100 * 1024**2,
        gt=0,
        description="The daemon's StreamMaxLength: larger files are refused before they come.",
    )

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
    token_issuer: str = Field("landfall", description="`iss` of access tokens.")
    token_audience: str = Field("landfall-mobile", description="`aud` of access tokens.")
    rp_id: str = Field("localhost", description="Domain that passkeys belong to (WebAuthn's RP ID).")
    rp_origins: tuple[str, ...] = Field(
        (),
        description="Origins of apps and pages that may use passkeys, `https://...` or "
        "`android:apk-key-hash:...`; empty: `https://` and the domain.",
    )
    places_file: Path | None = Field(
        None,
        description="City or country database (MMDB) that tells roughly where people sign in; empty: untold.",
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
    fcm_account_file: Path | None = Field(
        None, description="Service account of Firebase Cloud Messaging; unset: `/dev/outbox`."
    )
    fcm_url: str = Field("https://fcm.googleapis.com", description="Address of Firebase Cloud Messaging.")
    captcha_url: str = Field(
        "",
        description="`siteverify` address of hCaptcha, Turnstile or reCAPTCHA; empty: the word `human`, "
        "and in production none is asked for.",
    )
    captcha_secret: SecretStr = Field(SecretStr(""), description="The CAPTCHA provider's secret.")
    app_name: str = Field("Landfall", description="What messages to people call the app.")
    android_app_hash: str = Field(
        "", description="The 11 characters with which Android's SMS Retriever finds the app."
    )
    ios_bound_domain: str = Field("", description="Domain of iOS apps and web pages that codes are bound to.")
    reset_url: str = Field("landfall://reset-password", description="Link in password-reset mails.")
    password_memory_kib: int = Field(65_536, ge=1_024, description="Memory of Argon2id, in KiB.")
    password_rounds: int = Field(3, ge=1, description="Passes of Argon2id.")
    breached_passwords_file: Path | None = Field(
        None,
        description="Sorted file of SHA-1 hashes, as Have I Been Pwned's downloader writes it, "
        "that passwords must not be in; renew it every month.",
    )
    feed_experiment: str = Field(
        "", description="Ranking of feeds tried out, `name:formula=50,fresh=50`; empty: none."
    )
    classifier_url: str = Field(
        "",
        description="Service that judges posts and pictures, beside the built-in rules; empty: none.",
    )
    classifier_token: SecretStr = Field(SecretStr(""), description="What it knows us by.")
    link_previews: bool = Field(True, description="Whether links in posts are looked at for previews.")
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
    def key_origins(self) -> list[str]:
        """Where passkeys may be used; in development also a page served by this process."""
        if self.rp_origins:
            return list(self.rp_origins)
        local = [] if self.production else [f"http://{self.rp_id}:{self.port}"]
        return [f"https://{self.rp_id}", *local]

    @property
    def production(self) -> bool:
        return self.env is Environment.PRODUCTION

    @property
    def shows_graphiql(self) -> bool:
        return self.graphiql == "on" or (self.graphiql == "auto" and not self.production)
