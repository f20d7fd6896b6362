"""Geolocation of sign-ins, by a database on disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from core.context import Context, Services
from core.settings import Settings
from ports.auth import GeoIp, GeoLocation
from providers.geoip import PlacesFile
from resolvers.auth import sessions
from server import lifespan
from server.lifespan import NotReady
from stores import auth as store
from stores.auth import AuthFactor
from tests.conftest import NewPhone
from tests.phone import Phone, make_user

BERLIN = {
    "city": {"names": {"en": "Berlin", "de": "Berlin"}},
    "country": {"names": {"en": "Germany"}},
    "location": {"latitude": 52.5, "longitude": 13.4},
}
POTSDAM = {"city": {"names": {"en": "Potsdam"}}, "country": {"names": {"en": "Germany"}}}
NORWAY = {"country": {"names": {"en": "Norway"}}}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="GeoLite2-City")
    writer.insert_network(IPSet(["192.0.2.0/25"]), BERLIN)
    writer.insert_network(IPSet(["192.0.2.128/25"]), POTSDAM)
    writer.insert_network(IPSet(["2001:db8::/32"]), NORWAY)
    made = tmp_path_factory.mktemp("places") / "places.mmdb"
    writer.to_db_file(str(made))
    return made


@pytest.fixture
def placed(services: Services, file: Path) -> Iterator[Services]:
    """The services, knowing places."""
    before = services.extra[GeoIp]
    services.extra[GeoIp] = PlacesFile(file)
    yield services
    services.extra[GeoIp] = before


async def signed_in_from(services: Services, user_id: str, phone: Phone, address: str) -> Any:
    ctx = Context(services, address=address)
    device = {"device_id": phone.device_id, "name": "Test phone", "platform": "IOS"}

    async def start() -> Any:
        user = await store.users.by_id(ctx.db, user_id)
        assert user
        return await sessions.start(ctx, user, device, factors=[AuthFactor.PASSWORD])

    return (await ctx.unit(start))["session"]


async def kinds(services: Services, user_id: str) -> list[str]:
    rows = await store.security_events.find(services.db, {"user_id": user_id}, sort=[("_id", 1)])
    return [str(row["kind"]) for row in rows]


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "Berlin, Germany"),
        ("2001:db8::7", "Norway"),
        ("198.51.100.1", None),
        ("not an address", None),
    ],
)
def test_an_address_is_roughly_somewhere(file: Path, address: str, place: str | None) -> None:
    assert PlacesFile(file).place(address) == place


def test_an_address_has_a_location_where_the_file_has_coordinates(file: Path) -> None:
    found = PlacesFile(file)
    assert found.location("192.0.2.7") == GeoLocation(52.5, 13.4, "Berlin", "Germany")
    assert [found.location(each) for each in ("2001:db8::7", "198.51.100.1", "not an address")] == [None] * 3


async def test_sessions_and_events_tell_where(placed: Services, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    session = await signed_in_from(placed, ada.user_id, ada, "192.0.2.7")
    query = "query($id: ID!) { node(id: $id) { ... on Session { approximateLocation ipMasked current } } }"
    shown = (await ada.run(query, id=session["_id"]))["node"]
    assert shown == {"approximateLocation": "Berlin, Germany", "ipMasked": "192.0.2.0", "current": False}
    events = "{ viewer { account { securityEvents(first: 1) { edges { node { approximateLocation } } } } } }"
    [edge] = (await ada.run(events))["viewer"]["account"]["securityEvents"]["edges"]
    assert edge["node"] == {"approximateLocation": "Berlin, Germany"}


async def test_a_sign_in_from_another_country_is_suspicious(placed: Services, anonymous: Phone) -> None:
    user_id = await make_user(placed, "Ada")
    for address in ("192.0.2.7", "192.0.2.200", "2001:db8::7", "198.51.100.1"):
        await signed_in_from(placed, user_id, anonymous, address)
    assert await kinds(placed, user_id) == ["SIGN_IN", "SIGN_IN", "NEW_DEVICE", "SIGN_IN"]


async def test_a_file_that_cannot_be_read_is_said_at_the_start(settings: Settings, tmp_path: Path) -> None:
    wrong = tmp_path / "places.mmdb"
    wrong.write_text("nothing")
    with pytest.raises(NotReady, match="LANDFALL_PLACES_FILE"):
        async with lifespan.services(settings.model_copy(update={"places_file": wrong})):
            pass
