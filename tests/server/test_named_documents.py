"""Documents named instead of sent: Apollo's persisted queries, and trusted documents."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.context import Services
from core.errors import Forbidden
from core.settings import Settings
from server import lifespan, operation_manifest
from server.documents import Documents, PersistedQueryNotFound, digest
from tests.conftest import NewPhone
from tests.phone import Phone, key
from tests.server.conftest import Configured, free

QUERY = "query Me { viewer { user { name } } }"


def persisted(query: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(query)}}


async def test_a_query_is_sent_once_and_named_from_then_on(new_phone: NewPhone) -> None:
    phone = await new_phone("Ada")
    query = f"query Me{key()} {{ viewer {{ user {{ name }} }} }}"
    unknown = await phone.post({"extensions": persisted(query)})
    # What Apollo's link looks for.
    assert unknown.code == "PERSISTED_QUERY_NOT_FOUND"
    assert unknown.errors[0]["message"] == "PersistedQueryNotFound"
    sent = await phone.post({"query": query, "extensions": persisted(query)})
    assert sent.data == {"viewer": {"user": {"name": "Ada"}}}
    named = await phone.post({"extensions": persisted(query)})
    assert named.data == sent.data
    by_get = await phone.get(extensions=json.dumps(persisted(query)))
    assert by_get.data == sent.data


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_mobile_clients_get_200_when_the_document_is_wanted(anonymous: Phone, accept: str) -> None:
    unknown = {"extensions": json.dumps(persisted(f"query Unknown{key()} {{ __typename }}"))}
    headers = {"Accept": accept}
    async with anonymous.http.get(anonymous.url, params=unknown, headers=headers) as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, no-store")
        told = {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
        assert json.loads(await answer.read()) == {"errors": [told]}


async def test_another_process_knows_what_was_persisted(services: Services, new_phone: NewPhone) -> None:
    phone = await new_phone()
    query = f"query Other{key()} {{ viewer {{ user {{ id }} }} }}"
    await phone.post({"query": query, "extensions": persisted(query)})
    other = Documents(services.db, services.redis, services.settings)
    assert await other.text(None, persisted(query), free) == query


async def test_a_hash_of_something_else_is_refused(anonymous: Phone) -> None:
    answer = await anonymous.post({"query": QUERY, "extensions": persisted("{ __typename }")})
    assert answer.code == "BAD_USER_INPUT"
    known = await anonymous.post({"extensions": persisted("{ __typename }")})
    assert known.code in ("PERSISTED_QUERY_NOT_FOUND", None)


@pytest.mark.parametrize(
    "extensions",
    [
        {"persistedQuery": {"version": 2, "sha256Hash": "a"}},
        {"persistedQuery": {"version": 1}},
        {"persistedQuery": {"version": 1, "sha256Hash": 5}},
        {"documentId": 5},
    ],
)
async def test_a_malformed_name_is_bad_input(anonymous: Phone, extensions: Any) -> None:
    assert (await anonymous.post({"extensions": extensions})).code == "BAD_USER_INPUT"


async def test_what_is_too_much_is_not_persisted(anonymous: Phone) -> None:
    query = "{ " + " ".join(f"a{n}: __typename" for n in range(101)) + " }"
    assert (
        await anonymous.post({"query": query, "extensions": persisted(query)})
    ).code == "QUERY_TOO_COMPLEX"
    assert (await anonymous.post({"extensions": persisted(query)})).code == "PERSISTED_QUERY_NOT_FOUND"


APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": "me-1", "name": "Me", "type": "query", "body": QUERY}],
}
CODEGEN = {f"sha256:{digest(QUERY)}": QUERY}
RELAY = {"3be4abb81fa595e25eb725b2c6a87508": QUERY}


@pytest.mark.parametrize(
    ("content", "id"),
    [(APOLLO, "me-1"), (RELAY, next(iter(RELAY))), (CODEGEN, next(iter(CODEGEN))), (CODEGEN, digest(QUERY))],
)
async def test_a_trusted_document_is_named_by_its_id(
    services: Services, new_phone: NewPhone, content: Any, id: str
) -> None:
    found = operation_manifest.read(json.dumps(content).encode(), lifespan.make_schema(Settings()))
    await operation_manifest.add(services.db, found)
    assert await operation_manifest.add(services.db, found) == 0
    phone = await new_phone("Grace")
    answer = await phone.post({"documentId": id})
    assert answer.data == {"viewer": {"user": {"name": "Grace"}}}
    assert (await phone.get(documentId=id)).data == answer.data


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[]", "JSON object"),
        (b"{", "unexpected"),
        (b'{"a": 1}', "neither"),
        (b'{"a": "{ nothing }"}', "a: Cannot query field 'nothing'"),
        (
            b'{"a": "{ viewer { changes { nodes { ... on Post { commentPreview { id } } } } } }"}',
            "a: 'commentPreview' is no part of what is synced",
        ),
        (b'{"a": "query A { viewer { user { id } } } query B { viewer { user { id } } }"}', "one operation"),
    ],
)
async def test_a_manifest_that_does_not_fit_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        operation_manifest.read(content, lifespan.make_schema(Settings()))


async def test_only_trusted_documents_run_where_it_is_set(services: Services) -> None:
    await operation_manifest.add(
        services.db,
        operation_manifest.read(
            json.dumps({digest(QUERY): QUERY}).encode(), lifespan.make_schema(Settings())
        ),
    )
    settings = services.settings.model_copy(update={"trusted_documents": "only"})
    documents = Documents(services.db, services.redis, settings)
    assert await documents.text(None, {"documentId": f"sha256:{digest(QUERY)}"}, free) == QUERY
    assert await documents.text(None, persisted(QUERY), free) == QUERY
    assert await documents.text(QUERY, None, free) == QUERY
    with pytest.raises(Forbidden):
        await documents.text("{ __typename }", None, free)
    with pytest.raises(Forbidden):
        await documents.text(None, persisted("{ __typename }"), free)


async def test_trusted_documents_can_be_left_alone(services: Services) -> None:
    settings = services.settings.model_copy(update={"trusted_documents": "off"})
    documents = Documents(services.db, services.redis, settings)
    with pytest.raises(PersistedQueryNotFound):
        await documents.text(None, {"documentId": digest(QUERY)}, free)


RESPONSE = "application/graphql-response+json"
SHOP = "query Shop { topSellers(limit: 3) { id } }"


@pytest.fixture
async def only(configured: Configured, services: Services) -> AsyncIterator[Phone]:
    """A server where nothing runs but these two."""
    manifest = {digest(query): query for query in (QUERY, SHOP)}
    schema = lifespan.make_schema(Settings())
    await operation_manifest.add(services.db, operation_manifest.read(json.dumps(manifest).encode(), schema))
    async with configured(trusted_documents="only") as phone:
        yield phone


@pytest.mark.parametrize(("accept", "status"), [(RESPONSE, 403), ("application/json", 200)])
async def test_what_is_not_trusted_is_forbidden(only: Phone, accept: str, status: int) -> None:
    """As the draft has it: a status for those who read statuses, and 200 for JSON of old."""
    stranger = f"query Q{key()} {{ __typename }}"
    for body in (
        {"query": stranger},
        {"query": stranger, "extensions": persisted(stranger)},
        {"extensions": persisted(stranger)},
        {"documentId": "nobody"},
        {"query": "{ __schema { queryType { name } } }"},
        {"query": "{"},
    ):
        answer = await only.post(body, Accept=accept)
        assert (answer.status, answer.code, "data" in answer.body) == (status, "FORBIDDEN", False)
        assert answer.errors[0]["message"] == "Only the operations that were registered run here."
    batch = (await only.post([{"query": SHOP}, {"query": stranger}])).body
    assert "data" in batch[0]
    assert batch[1]["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_what_is_not_trusted_is_forbidden_on_sockets_and_streams(only: Phone) -> None:
    streamed = await only.post({"query": "{ __typename }"}, Accept="text/event-stream")
    assert '"code":"FORBIDDEN"' in streamed.body
    async with only.socket() as socket:
        await socket.send({"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }"}})
        [error] = (await socket.receive())["payload"]
        assert error["extensions"]["code"] == "FORBIDDEN"
        await socket.send({"id": "1", "type": "subscribe", "payload": {"documentId": digest(SHOP)}})
        assert "topSellers" in (await socket.receive())["payload"]["data"]


async def test_a_trusted_get_says_how_long_it_may_be_kept(only: Phone, new_phone: NewPhone) -> None:
    for parameters in (
        {"documentId": digest(SHOP)},
        {"extensions": json.dumps(persisted(SHOP))},
    ):
        answer = await only.get(**parameters)
        assert answer.headers["Cache-Control"].startswith("public, max-age=")
        known = {"If-None-Match": answer.headers["ETag"]}
        async with only.http.get(only.url, params=parameters, headers=known) as response:
            assert (response.status, await response.read()) == (304, b"")
            assert response.headers["Cache-Control"] == answer.headers["Cache-Control"]
    refused = await only.get(documentId="nobody")
    assert (refused.code, refused.headers["Cache-Control"]) == ("FORBIDDEN", "private, no-store")
    assert "ETag" not in refused.headers
    ada = await new_phone("Ada")
    own = await Phone(ada.http, only.url, token=ada.token).get(documentId=digest(QUERY))
    assert own.data == {"viewer": {"user": {"name": "Ada"}}}
    assert own.headers["Cache-Control"] == "private, no-cache"
    assert own.headers["ETag"].startswith('W/"')


async def test_a_socket_names_documents_beside_an_empty_query(
    services: Services, new_phone: NewPhone
) -> None:
    found = operation_manifest.read(json.dumps(RELAY).encode(), lifespan.make_schema(Settings()))
    await operation_manifest.add(services.db, found)
    phone = await new_phone("Grace")
    [id] = RELAY
    unknown = f"query Unknown{key().replace('-', '')} {{ viewer {{ user {{ id }} }} }}"
    async with phone.socket() as socket:
        payload = {"query": "", "extensions": {"documentId": id}}
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        answer = await socket.receive()
        assert answer["payload"]["data"] == {"viewer": {"user": {"name": "Grace"}}}
        assert (await socket.receive())["type"] == "complete"

        # Nothing is remembered under the hash of a document that was not sent.
        for _ in range(2):
            payload = {"query": "", "extensions": persisted(unknown)}
            await socket.send({"id": "2", "type": "subscribe", "payload": payload})
            answer = await socket.receive()
            assert (answer["id"], answer["type"]) == ("2", "error")
            assert answer["payload"][0]["extensions"] == {"code": "PERSISTED_QUERY_NOT_FOUND"}
