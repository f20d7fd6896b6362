"""Time-stamp authorities (RFC 3161), over HTTP."""

from collections.abc import Sequence
from datetime import datetime

from aiohttp import ClientSession, ClientTimeout
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from ports.audit import AuditSettings, InvalidTimestamp, Timestamper

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
PATIENCE = ClientTimeout(total=5)
LARGEST = 64 * 1024


class Unstamped:
    """Implements `ports.audit.Timestamper` where there is no authority."""

    async def stamp(self, data: bytes) -> bytes | None:
        return None

    def verify(self, token: bytes, data: bytes) -> datetime:
        raise InvalidTimestamp("There is no trusted authority.")


class Authority:
    """Implements `ports.audit.Timestamper` by an authority whose chain ends in these roots."""

    def __init__(self, http: ClientSession, url: str, roots: Sequence[x509.Certificate]) -> None:
        self._http = http
        self._url = url
        self._roots = list(roots)

    async def stamp(self, data: bytes) -> bytes | None:
        query = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
        headers = {"Content-Type": QUERY, "Accept": REPLY}
        body = query.as_bytes()
        async with self._http.post(self._url, data=body, headers=headers, timeout=PATIENCE) as answer:
            answer.raise_for_status()
            token = await answer.content.read(LARGEST)
        self._verified(token, data, query.nonce)
        return token

    def verify(self, token: bytes, data: bytes) -> datetime:
        return self._verified(token, data, None).tst_info.gen_time

    def _verified(self, token: bytes, data: bytes, nonce: int | None) -> TimeStampResponse:
        try:
            response = decode_timestamp_response(token)
            VerifierBuilder(roots=self._roots, nonce=nonce).build().verify_message(response, data)
        except (VerificationError, ValueError) as error:
            raise InvalidTimestamp(str(error)) from None
        return response


def authority(settings: AuditSettings, http: ClientSession) -> Timestamper:
    """The authority of the settings; OSError or ValueError for roots that cannot be read."""
    if not settings.audit_timestamp_url:
        return Unstamped()
    if settings.audit_timestamp_roots is None:
        raise ValueError("an authority is trusted by its root certificates; name their file.")
    roots = x509.load_pem_x509_certificates(settings.audit_timestamp_roots.read_bytes())
    return Authority(http, settings.audit_timestamp_url, roots)
