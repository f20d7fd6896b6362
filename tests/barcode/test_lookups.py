"""Lookups: what a code is, for everybody, and what is the viewer's own."""

from datetime import timedelta

import pytest

from core import clock
from core.context import Services
from jobs import catalog as catalog_jobs
from resolvers.barcode.looking_up import ANONYMOUS_RATE, LOOKUP_RATE
from resolvers.barcode.normal_form import check_digit
from tests.barcode.steps import (
    FIND,
    LOOKUP,
    gtin_of,
    looked_up,
    new_code,
    scanned,
    submitted,
    with_code,
)
from tests.catalog.steps import unique
from tests.conftest import Commands, NewPhone
from tests.phone import Phone

MANY = f"query($codes: [String!]!) {{ barcodeLookups(codes: $codes) {{ {LOOKUP} }} }}"
EMPTY = {"batch": None, "serial": None, "expiresOn": None, "netWeightKilograms": None}


async def test_a_code_is_matched_by_any_of_its_carriers_for_everybody(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    body = new_code()[:11]
    upc_a = f"1{body[1:]}"
    upc_a += check_digit(upc_a)
    product = await with_code(services, admin, upc_a)
    variant = product["variants"][0]["id"]
    gtin = gtin_of(upc_a)
    formats = {
        upc_a: "UPC_A",
        f"0{upc_a}": "EAN_13",
        gtin: "GTIN_14",
        f"(01){gtin}(17)301225(10)LOT": "GS1_ELEMENTS",
        f"https://example.com/p/01/{gtin}": "GS1_DIGITAL_LINK",
    }
    for code, format in formats.items():
        found = await looked_up(anonymous, code)
        assert (found["gtin"], found["format"], found["status"]) == (gtin, format, "MATCHED")
        assert (found["product"]["id"], found["variant"]["id"]) == (product["id"], variant)
        assert (found["confidence"], found["source"], found["mappingVersion"]) == (1.0, "CATALOG", 1)
        assert (found["note"], found["candidates"]) == (None, [])
    elements = (await looked_up(anonymous, f"(01){gtin}(17)301225(10)LOT"))["elements"]
    assert elements == {**EMPTY, "batch": "LOT", "expiresOn": "2030-12-25"}


@pytest.mark.parametrize(
    ("code", "status", "note"),
    [
        ("4006381333932", "INVALID", "The last digit does not fit the others."),
        ("04210000526", "INVALID", "No barcode has so many digits."),
        ("01095060001343531720122510ABC", "INVALID", "The last digit does not fit the others."),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", "INVALID", "The code has something in it that no barcode has."),
        ("https://id.gs1.org/8004/0950600012345678", "UNSUPPORTED", "The code is not one of a product."),
        ("2012345678903", "RESTRICTED", "The number is one of a single shop or region."),
    ],
)
async def test_what_is_no_product_says_so(anonymous: Phone, code: str, status: str, note: str) -> None:
    """Bad check digit, also in AI 01; digits of another script; a link of an asset; shop's own number."""
    found = await looked_up(anonymous, code)
    assert (found["status"], found["note"], found["product"]) == (status, note, None)


async def test_01234565_without_format_is_upc_e(anonymous: Phone) -> None:
    found = await looked_up(anonymous, "01234565")
    assert (found["format"], found["gtin"]) == ("UPC_E", "00012345000065")
    stated = await looked_up(anonymous, "01234565", format="EAN_8")
    assert (stated["format"], stated["status"]) == ("EAN_8", "RESTRICTED")


async def test_notes_are_in_the_callers_language(anonymous: Phone) -> None:
    query = "query($code: String!) { barcodeLookup(code: $code) { note } }"
    body = {"query": query, "variables": {"code": "2012345678903"}}
    answer = await anonymous.post(body, **{"Accept-Language": "de"})
    note = answer.data["barcodeLookup"]["note"]
    assert note == "Diese Nummer gilt nur in einem Geschäft oder einer Region."


async def test_case_scanned_only_the_single_article_known(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    code = new_code()
    product = await with_code(services, admin, code)
    body = f"1{gtin_of(code)[1:13]}"
    case = body + check_digit(body)
    found = await looked_up(anonymous, case)
    assert (found["status"], found["note"]) == ("UNMATCHED", f"case of {gtin_of(code)}")
    variant = {"id": product["variants"][0]["id"]}
    candidate = {"product": {"id": product["id"]}, "variant": variant, "confidence": 1.0, "packaging": "CASE"}
    assert found["candidates"] == [candidate]
    other = await with_code(services, admin, case)
    assert (await looked_up(anonymous, case))["product"]["id"] == other["id"]


async def test_many_codes_are_answered_in_order_and_doubles_alike(
    services: Services, admin: Phone, anonymous: Phone, commands: Commands
) -> None:
    known, unknown = new_code(), new_code()
    product = await with_code(services, admin, known)
    codes = [unknown, known, "123", known, *(new_code() for _ in range(96))]
    commands.reset()
    found = (await anonymous.run(MANY, codes=codes))["barcodeLookups"]
    assert [each["code"] for each in found] == codes
    assert [each["status"] for each in found[:4]] == ["UNMATCHED", "MATCHED", "INVALID", "MATCHED"]
    assert found[1] == {**found[3], "code": known}
    assert found[1]["product"]["id"] == product["id"]
    assert commands.counts["find"] <= 4
    refused = await anonymous.ask(MANY, codes=[known] * 101)
    assert refused.code == "BAD_USER_INPUT"


async def test_a_lookup_reads_three_times(
    services: Services, admin: Phone, anonymous: Phone, commands: Commands
) -> None:
    code = new_code()
    await with_code(services, admin, code)
    commands.reset()
    await anonymous.run("query($code: String!) { barcodeLookup(code: $code) { status } }", code=code)
    assert commands.sent <= 2


async def test_a_hidden_product_is_nobodys_match(services: Services, admin: Phone, anonymous: Phone) -> None:
    code = new_code()
    product = await with_code(services, admin, code, price="?")
    assert (await looked_up(anonymous, code))["status"] == "UNMATCHED"
    assert (await looked_up(admin, code))["product"]["id"] == product["id"]


async def test_product_discontinued_is_matched_with_alternatives(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    code, herb = new_code(), unique("Herb")
    gone = await with_code(services, admin, code, ingredients=f"{herb} 5 mg")
    other = await with_code(services, admin, new_code(), ingredients=f"{herb} 5 mg")
    done = await admin.do("setProductStatus", "product { id }", productId=gone["id"], status="DISCONTINUED")
    assert done["errors"] == []
    await catalog_jobs.tell(services)
    shown = "status product { availability { status } alternatives { id } }"
    query = f"query($code: String!) {{ barcodeLookup(code: $code) {{ {shown} }} }}"
    found = (await anonymous.run(query, code=code))["barcodeLookup"]
    assert (found["status"], found["product"]["availability"]) == ("MATCHED", {"status": "DISCONTINUED"})
    assert [each["id"] for each in found["product"]["alternatives"]] == [other["id"]]


async def test_an_open_submission_shows_to_who_made_it(new_phone: NewPhone, anonymous: Phone) -> None:
    ada, code = await new_phone("Ada"), new_code()
    made = await submitted(ada, code)
    query = "query($code: String!) { barcodeLookup(code: $code) { status viewerSubmission { id } } }"
    own = (await ada.run(query, code=code))["barcodeLookup"]
    assert own == {"status": "PENDING_REVIEW", "viewerSubmission": {"id": made["id"]}}
    for other in (anonymous, await new_phone("Grace")):
        shown = (await other.run(query, code=code))["barcodeLookup"]
        assert shown == {"status": "UNMATCHED", "viewerSubmission": None}


async def test_an_answer_to_nobody_may_be_kept_and_one_of_a_person_not(
    services: Services, admin: Phone, anonymous: Phone, new_phone: NewPhone
) -> None:
    code = new_code()
    await with_code(services, admin, code)
    query = f'{{ barcodeLookup(code: "{code}") {{ status }} }}'
    assert (await anonymous.get(query=query)).headers["Cache-Control"] == "public, max-age=60"
    ada = await new_phone("Ada")
    assert (await ada.get(query=query)).headers["Cache-Control"] == "private, no-store"


async def test_121st_lookup_in_a_minute_is_rate_limited(
    services: Services, new_phone: NewPhone, anonymous: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.limits, "scale", 1.0)
    ada = await new_phone("Ada")
    await services.limits.take(LOOKUP_RATE, ada.user_id, count=120)
    refused = await ada.ask(FIND, code="1")
    assert refused.code == "RATE_LIMITED"
    assert refused.errors[0]["extensions"]["retryAfterSeconds"] >= 1
    await services.redis.delete("rate:barcode-lookups-address:127.0.0.1")
    await services.limits.take(ANONYMOUS_RATE, "127.0.0.1", count=30)
    assert (await anonymous.ask(FIND, code="1")).code == "RATE_LIMITED"


async def test_a_code_has_200_characters_at_most(anonymous: Phone, new_phone: NewPhone) -> None:
    assert (await anonymous.ask(FIND, code="1" * 201)).code == "BAD_USER_INPUT"
    assert (await looked_up(anonymous, "1" * 200))["status"] == "INVALID"
    clock.shift(timedelta(seconds=0))
    ada = await new_phone("Ada")
    found = await scanned(ada, new_code())
    assert found["lookup"]["status"] == "UNMATCHED"
