"""CAPTCHAs: judged by hCaptcha, Turnstile or reCAPTCHA, which speak alike; by a word in development."""

import hmac

from aiohttp import ClientError, ClientSession, ClientTimeout

from core.ports import Retryable

TIMEOUT = ClientTimeout(total=5.0)
LONGEST_TOKEN = 10_000
WORD = "human"


class SiteVerify:
    """Implements `ports.auth.Captcha` with a provider's `siteverify` endpoint."""

    asked = True

    def __init__(self, http: ClientSession, url: str, secret: str) -> None:
        self._http, self._url, self._secret = http, url, secret

    async def passes(self, token: str, *, address: str) -> bool:
        if not 0 < len(token) <= LONGEST_TOKEN:
            return False
        form = {"secret": self._secret, "response": token, "remoteip": address}
        try:
            async with self._http.post(
                self._url, data=form, timeout=TIMEOUT, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise Retryable(f"The CAPTCHA provider answered {response.status}.")
                answer = await response.json(content_type=None)
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise Retryable(f"The CAPTCHA provider did not answer: {type(error).__name__}.") from None
        return isinstance(answer, dict) and answer.get("success") is True


class Word:
    """Implements `ports.auth.Captcha` for development and tests: whoever says "human" is one."""

    asked = True

    async def passes(self, token: str, *, address: str) -> bool:
        return hmac.compare_digest(token.encode(), WORD.encode())


class Unasked:
    """Implements `ports.auth.Captcha` where none is asked for."""

    asked = False

    async def passes(self, token: str, *, address: str) -> bool:
        return True
