"""One request to a provider's HTTP API: a POST whose answer is JSON."""

from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from core.ports import Retryable

TIMEOUT = ClientTimeout(total=8.0)


async def post(http: ClientSession, provider: str, url: str, **how: Any) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer; `Retryable` when none came, or a good one that cannot be read.

    What a refusal says is of use, and its status is enough: where that is no JSON it is empty.
    """
    try:
        async with http.post(url, timeout=TIMEOUT, allow_redirects=False, **how) as response:
            status = response.status
            try:
                answer = await response.json(content_type=None)
            except ValueError:
                if status < 300:
                    raise
                answer = {}
    except (ClientError, TimeoutError, OSError, ValueError) as error:
        raise Retryable(f"{provider} did not answer: {type(error).__name__}.") from None
    return status, answer if isinstance(answer, dict) else {}
