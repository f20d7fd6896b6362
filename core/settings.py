"""Every setting of Landfall, read once from the environment by the server."""

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """`LANDFALL_...` variables; the README's table is checked against these fields by a test."""

    model_config = SettingsConfigDict(env_prefix="LANDFALL_", frozen=True)

    env: Environment = Field(Environment.DEVELOPMENT, description="development, test or production.")
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the server listens on; 0 takes a free one.")
    public_url: str = Field("", description="Address phones use, for links to media; empty: the request's.")

    mongo_url: str = Field("", description="MongoDB replica set; empty in `dev`: an embedded one.")
    mongo_database: str = Field("landfall", description="Database name.")
    mongo_driver: Literal["motor", "pymongo"] = Field("motor", description="Driver: motor or pymongo.")
    redis_url: str = Field("", description="Redis; empty in `dev`: an embedded one.")
    start_timeout: float = Field(10.0, gt=0, description="Seconds to wait for MongoDB and Redis at start.")

    data_dir: Path = Field(Path(".landfall"), description="Where `dev` keeps databases, keys and media.")
    media_dir: Path = Field(Path(".landfall/media"), description="Where media files lie on disk.")

    secret: SecretStr = Field(
        SecretStr(""), description="Server secret, 32 characters or more; required in production."
    )
    signing_key_file: Path | None = Field(
        None, description="PEM file of the ES256 key that signs access tokens; required in production."
    )
    field_keys: SecretStr = Field(
        SecretStr(""),
        description="Keys that encrypt fields, `id:base64,id:base64` of 32 bytes each; the first encrypts, "
        "all decrypt. Empty: one derived from the secret, which then must not change.",
    )
    token_issuer: str = Field("landfall", description="`iss` of access tokens.")
    token_audience: str = Field("landfall-mobile", description="`aud` of access tokens.")
    smtp_url: str = Field(
        "", description="Mail server, `smtp://user:password@host:587`; empty: `/dev/outbox`."
    )
    mail_from: str = Field("Landfall <noreply@localhost>", description="Sender of mail.")
    trust_proxy: bool = Field(False, description="Take the client address from X-Forwarded-For.")

    executor: Literal["compiled", "reference"] = Field(
        "compiled", description="compiled, or reference: graphql-core for everything."
    )
    max_body_bytes: int = Field(1_000_000, gt=0, description="Largest request body accepted.")
    max_batch: int = Field(20, gt=0, description="Operations in one array batch.")
    rate_scale: float = Field(1.0, gt=0, description="Multiplies every rate limit; for load tests.")
    request_timeout: float = Field(10.0, gt=0, description="Seconds an operation may take.")
    max_subscriptions: int = Field(100, gt=0, description="Operations open at once on one socket.")
    allowed_origins: tuple[str, ...] = Field((), description="Web origins allowed to call from a browser.")

    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto: readable in dev.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @property
    def production(self) -> bool:
        return self.env is Environment.PRODUCTION


@cache
def from_environment() -> Settings:
    return Settings()
