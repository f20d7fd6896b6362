"""Names of articles by Open Food Facts, or by a server that speaks its protocol, behind a circuit breaker."""

from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from core.circuit_breaker import CircuitBreaker
from core.ports import Retryable
from core.values.text import line
from ports.barcode import ArticleName

TIMEOUT = ClientTimeout(total=5.0)
LARGEST_ANSWER = 256 * 1024
LONGEST_NAME = 200
ATTRIBUTION = "Open Food Facts contributors, ODbL 1.0"
HEADERS = {"User-Agent": "Landfall/1"}


class NoNames:
    """Implements `ports.barcode.ArticleNames` where no source is set."""

    async def name(self, gtin: str) -> ArticleName | None:
        return None


class OpenFoodFacts:
    """Implements `ports.barcode.ArticleNames`: `GET /api/v2/product/{gtin}`, and nothing but the number."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self._http, self._url = http, url.rstrip("/")
        self._breaker = CircuitBreaker("article_names")

    async def name(self, gtin: str) -> ArticleName | None:
        async with self._breaker.call():
            return _named(await self._asked(gtin))

    async def _asked(self, gtin: str) -> Any:
        url = f"{self._url}/api/v2/product/{gtin}"
        try:
            async with self._http.get(
                url,
                params={"fields": "product_name,brands"},
                headers=HEADERS,
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                if response.status == 404:
                    return None
                if response.status != 200:
                    raise Retryable(f"The source of names answered {response.status}.")
                return orjson.loads(await response.content.read(LARGEST_ANSWER))
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise Retryable(f"The source of names did not answer: {type(error).__name__}.") from None


def _named(answer: Any) -> ArticleName | None:
    product = answer.get("product") if isinstance(answer, dict) else None
    if not isinstance(product, dict):
        return None
    name, brand = (_text(product.get(each)) for each in ("product_name", "brands"))
    return ArticleName(name, brand, ATTRIBUTION) if name else None


def _text(value: Any) -> str:
    return line(value)[:LONGEST_NAME] if isinstance(value, str) else ""
