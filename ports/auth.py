"""Ports and hooks of authentication: the services it needs from outside, and the operator's choices."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import Field, SecretStr

from core.settings import Settings, SystemSettings


class AuthSettings(SystemSettings):
    """Settings of authentication."""

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

    def key_origins(self, server: Settings) -> list[str]:
        """Origins that may use passkeys; in development also a page served by this process."""
        if self.rp_origins:
            return list(self.rp_origins)
        local = [] if server.production else [f"http://{self.rp_id}:{server.port}"]
        return [f"https://{self.rp_id}", *local]


@dataclass(frozen=True, slots=True)
class GeoLocation:
    """Rough location of a network address: degrees, with the names of city and country where known."""

    lat: float
    lng: float
    city: str | None
    country: str | None


class GeoIp(Protocol):
    """GeoIP lookup of an address's rough place."""

    def place(self, address: str) -> str | None:
        """Name of the place: `Berlin, Germany`, or the country alone; None: not known."""
        ...

    def location(self, address: str) -> GeoLocation | None:
        """Location of the address; None where no coordinates are known."""
        ...


class Captcha(Protocol):
    """Judges the answer to a CAPTCHA; raises `Retryable` when it cannot."""

    asked: bool
    """True if people are asked for any."""

    async def passes(self, token: str, *, address: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """Sign-in attempt with the right password."""

    user_id: str
    device_known: bool
    """True if this device had a session of this person before."""
    failures: int
    """Wrong passwords and codes for this account in the last quarter of an hour."""


class Risk(Protocol):
    """Sign-in risk policy: judges if a right password is enough."""

    async def demands_second_factor(self, attempt: SignInAttempt) -> bool: ...
