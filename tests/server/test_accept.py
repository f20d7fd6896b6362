"""One answer or a stream of them: what clients that take both are given."""

import pytest

from server.documents import digest
from tests.conftest import NewPhone
from tests.feed.steps import publish
from tests.phone import key

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
SSE = "text/event-stream"
URQL = f"{RESPONSE}, application/graphql+json, {JSON}, {SSE}, multipart/mixed"
"""Accept header that urql sends with every query and mutation."""
APOLLO = f"multipart/mixed;subscriptionSpec=1.0, {JSON}"
EVENTS = "subscription($id: ID!) { postEvents(postId: $id) { ... on Event { eventId } } }"


@pytest.mark.parametrize(("accept", "given"), [(URQL, RESPONSE), (APOLLO, JSON), (SSE, SSE)])
async def test_queries_are_streamed_only_to_who_takes_nothing_else(
    new_phone: NewPhone, accept: str, given: str
) -> None:
    ada = await new_phone()
    headers = {"Accept": accept, "Authorization": f"Bearer {ada.token}"}
    query = f"query Me{key().replace('-', '')} {{ viewer {{ user {{ name subscription: id }} }} }}"
    unknown = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(query)}}}
    # Unknown, not seen before, compiled.
    for body in (unknown, {"query": query}, {"query": query}):
        async with ada.http.post(ada.url, json=body, headers=headers) as response:
            assert response.content_type == given


@pytest.mark.parametrize(("accept", "given"), [(URQL, SSE), (APOLLO, "multipart/mixed"), (SSE, SSE)])
async def test_subscriptions_are_streamed(new_phone: NewPhone, accept: str, given: str) -> None:
    ada = await new_phone()
    headers = {"Accept": accept, "Authorization": f"Bearer {ada.token}"}
    body = {"query": EVENTS, "variables": {"id": await publish(ada, "Watched")}}
    async with ada.http.post(ada.url, json=body, headers=headers) as response:
        assert (response.status, response.content_type) == (200, given)
