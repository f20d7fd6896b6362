"""Addresses in an S3 store, checked as S3 does (Signature Version 4 in the query), because moto does not."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from core import clock, jobs
from tests.media import steps
from tests.media.conftest import Place

SECRET = "test-secret"


def accepted(method: str, url: str, *, at: datetime | None = None) -> bool:
    """True if S3 would accept this request at that moment."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, strict_parsing=True))
    signature = query.pop("X-Amz-Signature")
    began = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if not began <= (at or datetime.now(UTC)) <= began + timedelta(seconds=int(query["X-Amz-Expires"])):
        return False
    assert query["X-Amz-SignedHeaders"] == "host"
    sorted_query = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in sorted(query.items()))
    request = [method, parts.path, sorted_query, f"host:{parts.netloc}", "", "host", "UNSIGNED-PAYLOAD"]
    _, *scope = query["X-Amz-Credential"].split("/")
    hashed = hashlib.sha256("\n".join(request).encode()).hexdigest()
    text = "\n".join([query["X-Amz-Algorithm"], query["X-Amz-Date"], "/".join(scope), hashed])
    key = f"AWS4{SECRET}".encode()
    for each in (*scope, text):
        key = hmac.digest(key, each.encode(), "sha256")
    return hmac.compare_digest(key.hex(), signature)


@pytest.mark.parametrize("place", ["s3"], indirect=True)
async def test_parts_are_sent_to_exactly_one_object_for_a_quarter_of_an_hour(place: Place) -> None:
    """Row "Presigned URL expired mid-upload": the store refuses, and a fresh one is taken."""
    ada = await place.phone()
    upload = await steps.created(ada, steps.picture((64, 48)))
    [part] = upload["parts"]
    url, now = part["url"], datetime.now(UTC)
    ends = datetime.fromisoformat(part["urlExpiresAt"])
    assert urlsplit(url).path.endswith(f"/app/incoming/{upload['id']}/1")
    assert timedelta(minutes=14, seconds=50) < ends - now <= timedelta(minutes=15)
    assert accepted("PUT", url)
    assert accepted("PUT", url, at=ends - timedelta(seconds=3))
    assert not accepted("PUT", url, at=ends + timedelta(seconds=2))
    # Neither to read or delete what another may have sent, nor anywhere else, nor longer.
    assert not accepted("GET", url)
    assert not accepted("DELETE", url)
    assert not accepted("PUT", url.replace(f"{upload['id']}/1", f"{upload['id']}/2"))
    assert not accepted("PUT", url.replace("/app/incoming/", "/app/public/"))
    assert not accepted("PUT", url.replace("X-Amz-Expires=", "X-Amz-Expires=9"))
    signed = "upload { parts { url } }"
    fresh = await ada.do("requestUploadPartUrls", signed, uploadId=upload["id"], partNumbers=[1])
    assert accepted("PUT", fresh["upload"]["parts"][0]["url"])


@pytest.mark.parametrize("place", ["s3"], indirect=True)
async def test_private_media_are_fetched_for_about_an_hour(place: Place) -> None:
    ada = await place.phone()
    ready = await steps.uploaded(ada, place.services, steps.picture((200, 100)))
    medium, now = ready["processedMedia"], clock.now()
    ends = datetime.fromisoformat(medium["urlExpiresAt"])
    assert timedelta(hours=1) <= ends - now <= timedelta(hours=1, minutes=5)
    for url in (medium["url"], medium["thumbnailUrl"], *(each["url"] for each in medium["renditions"])):
        assert accepted("GET", url)
        assert accepted("GET", url, at=ends - timedelta(seconds=5))
        assert not accepted("GET", url, at=ends + timedelta(seconds=5))
        assert not accepted("PUT", url)
    await jobs.run_due(place.services)
