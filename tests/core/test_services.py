"""Declarations of systems: services by dependency, settings, routes."""

from collections.abc import AsyncIterator

import pytest

from core import discovery, routes, services, settings
from core.services import NotReady, service, started
from core.settings import Settings


class Hull:
    pass


class Mast:
    def __init__(self, hull: Hull) -> None:
        self.hull = hull


class Sail:
    def __init__(self, mast: Mast, cloth: str) -> None:
        self.mast, self.cloth = mast, cloth


@pytest.fixture
def yard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Services of three parts, declared in no order; what was built and broken up."""
    built: list[str] = []
    monkeypatch.setattr(services, "FACTORIES", {})

    @service
    async def sail(mast: Mast, cloth: str) -> AsyncIterator[Sail]:
        built.append("sail")
        yield Sail(mast, cloth)
        built.append("no sail")

    @service
    async def hull() -> AsyncIterator[Hull]:
        built.append("hull")
        yield Hull()
        built.append("no hull")

    @service
    async def mast(hull: Hull) -> AsyncIterator[Mast]:
        built.append("mast")
        try:
            yield Mast(hull)
        finally:
            built.append("no mast")

    return built


async def test_a_service_is_made_after_what_it_needs_and_ended_before(yard: list[str]) -> None:
    async with started({str: "canvas"}) as found:
        assert set(found) == {Hull, Mast, Sail}
        assert (found[Sail].mast, found[Sail].cloth) == (found[Mast], "canvas")
        assert found[Mast].hull is found[Hull]
        assert yard == ["hull", "mast", "sail"]
    assert yard == ["hull", "mast", "sail", "no sail", "no mast", "no hull"]


async def test_what_nobody_makes_is_named(yard: list[str]) -> None:
    with pytest.raises(LookupError, match="Nobody makes the service str"):
        async with started({}):
            pass
    assert "sail" not in yard


async def test_one_that_cannot_start_ends_those_that_had(yard: list[str]) -> None:
    @service
    async def flag(mast: Mast) -> AsyncIterator[bytes]:
        if mast.hull:
            raise NotReady("There is no flag.")
        yield b""

    with pytest.raises(NotReady, match="There is no flag"):
        async with started({str: "canvas"}):
            pytest.fail("It started.")
    assert "no mast" in yard


def test_a_service_is_declared_once(yard: list[str]) -> None:
    with pytest.raises(ValueError, match="The service Hull is declared twice"):

        @service
        async def another() -> AsyncIterator[Hull]:
            yield Hull()


def test_settings_of_a_system_come_with_those_of_the_whole_or_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    discovery.systems("ports")
    [feed] = [kind for kind in settings.of_systems(Settings()) if kind.__name__ == "FeedSettings"]
    monkeypatch.setenv("LANDFALL_FEED_EXPERIMENT", "from:outside=1")
    assert feed.beside(Settings()).feed_experiment == "from:outside=1"
    given = Settings(feed_experiment="given:here=1").model_copy(update={"port": 0})
    assert feed.beside(given).feed_experiment == "given:here=1"
    with pytest.raises(ValueError, match=r"There is no setting feed_experimant\."):
        settings.of_systems(Settings(feed_experimant="x"))


def test_a_route_is_answered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "ROUTES", {})
    declare = routes.route("GET", "/charts/{name}", any_page=True)
    declare(None)  # type: ignore[arg-type]
    [found] = routes.ROUTES.values()
    assert (found.folder, found.methods) == ("charts", ["GET", "HEAD"])
    with pytest.raises(ValueError, match=r"GET /charts/\{name\} is answered twice"):
        declare(None)  # type: ignore[arg-type]
