"""Names of unknown codes by a source outside of the shop: asked by a job, shown with their attribution."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from core.circuit_breaker import CALLS
from core.context import Services
from core.ports import CircuitOpen, Retryable
from jobs import barcode as _jobs  # noqa: F401  # Declares the tasks.
from ports.barcode import ArticleName, ArticleNames, BarcodeSettings
from providers.article_names import ATTRIBUTION, OpenFoodFacts
from resolvers.barcode import outside
from tests.barcode.steps import gtin_of, new_code, settled, submitted
from tests.conftest import NewPhone
from tests.phone import Phone

EXTERNAL = """query($code: String!) { barcodeLookup(code: $code) {
  status source product { id } external { name brand attribution } } }"""


class FoodFacts:
    """Speaks the protocol of Open Food Facts; `answer` may be told to fail."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.status = 200
        self.known: dict[str, dict[str, Any]] = {}

    async def answer(self, request: web.Request) -> web.Response:
        gtin = request.match_info["gtin"]
        self.asked.append(str(request.rel_url))
        if self.status != 200:
            return web.Response(status=self.status)
        product = self.known.get(gtin)
        if product is None:
            return web.json_response({"status": 0, "status_verbose": "product not found"}, status=404)
        return web.json_response({"code": gtin, "status": 1, "product": product})


@pytest.fixture
async def facts() -> AsyncIterator[FoodFacts]:
    made = FoodFacts()
    app = web.Application()
    app.router.add_get("/api/v2/product/{gtin}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    [(_, port)] = [address[:2] for address in runner.addresses]
    made.url = f"http://127.0.0.1:{port}"
    yield made
    await runner.cleanup()


@pytest.fixture
def _asked(services: Services, http: aiohttp.ClientSession, facts: FoodFacts, monkeypatch: Any) -> None:
    monkeypatch.setitem(services.extra, BarcodeSettings, BarcodeSettings(names_url=facts.url))
    monkeypatch.setitem(services.extra, ArticleNames, OpenFoodFacts(http, facts.url))


@pytest.mark.usefixtures("_asked")
async def test_an_unknown_code_is_asked_for_once_by_its_number_alone(
    services: Services, facts: FoodFacts, new_phone: NewPhone, anonymous: Phone
) -> None:
    ada, grace, code = await new_phone("Ada"), await new_phone("Grace"), new_code()
    facts.known[gtin_of(code)] = {"product_name": " Oat  Drink ", "brands": "Field"}
    for each in (ada, grace):
        await submitted(each, code)
        await settled(services)
    assert facts.asked == [f"/api/v2/product/{gtin_of(code)}?fields=product_name,brands"]
    found = (await anonymous.run(EXTERNAL, code=code))["barcodeLookup"]
    named = {"name": "Oat Drink", "brand": "Field", "attribution": ATTRIBUTION}
    assert found == {"status": "UNMATCHED", "source": "EXTERNAL", "product": None, "external": named}
    assert await services.db.find("barcode_mappings", {"gtin": gtin_of(code)}) == []


@pytest.mark.usefixtures("_asked")
async def test_external_source_down_or_slow_lookups_unaffected(
    services: Services, facts: FoodFacts, new_phone: NewPhone, anonymous: Phone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    facts.status = 503
    await submitted(ada, code)
    with pytest.raises(Retryable):
        await outside.ask(services, gtin=gtin_of(code))
    found = (await anonymous.run(EXTERNAL, code=code))["barcodeLookup"]
    assert (found["status"], found["external"]) == ("UNMATCHED", None)
    await services.db.write(
        {"delete": "jobs", "deletes": [{"q": {"task": "barcode.ask_outside"}, "limit": 0}]}
    )


async def test_a_source_whose_calls_fail_is_left_alone(http: aiohttp.ClientSession, facts: FoodFacts) -> None:
    source = OpenFoodFacts(http, facts.url)
    facts.status = 500
    for _ in range(CALLS):
        with pytest.raises(Retryable):
            await source.name("00012345678905")
    with pytest.raises(CircuitOpen):
        await source.name("00012345678905")
    assert len(facts.asked) == CALLS


@pytest.mark.parametrize(
    ("product", "name"),
    [
        ({"product_name": "Oats"}, ArticleName("Oats", "", ATTRIBUTION)),
        ({"product_name": "x" * 300, "brands": 7}, ArticleName("x" * 200, "", ATTRIBUTION)),
        ({"product_name": " "}, None),
        ({"product_name": None}, None),
    ],
)
async def test_answers_are_read_with_care(
    http: aiohttp.ClientSession, facts: FoodFacts, product: dict[str, Any], name: ArticleName | None
) -> None:
    facts.known["00012345678905"] = product
    assert await OpenFoodFacts(http, facts.url).name("00012345678905") == name


async def test_it_is_off_by_default(services: Services, new_phone: NewPhone) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await submitted(ada, code)
    assert await services.db.find("jobs", {"task": "barcode.ask_outside"}) == []
    assert await services.get(ArticleNames).name(gtin_of(code)) is None
