"""Golden cases of codes: computed by two independent programs, and by python-stdnum once more."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean

from resolvers.barcode import carriers, normal_form
from resolvers.barcode.carriers import Elements
from resolvers.barcode.normal_form import NoGtin
from stores.barcode import BarcodeFormat, BarcodeRejectReason

GS = "\x1d"
ARTICLE = "09506000134352"


@pytest.mark.parametrize(
    ("code", "gtin"),
    [
        ("4006381333931", "04006381333931"),
        ("96385074", "00000096385074"),
        ("73513537", "00000073513537"),
        ("036000291452", "00036000291452"),
        ("9780306406157", "09780306406157"),
        ("9772049363002", "09772049363002"),
        ("00614141123452", "00614141123452"),
        ("10614141123459", "10614141123459"),
    ],
)
def test_b1_right_check_digits_are_taken(code: str, gtin: str) -> None:
    assert ean.is_valid(code)
    assert normal_form.read(code).digits == gtin


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("4006381333932", BarcodeRejectReason.CHECK_DIGIT),
        ("036000291453", BarcodeRejectReason.CHECK_DIGIT),
        ("96385075", BarcodeRejectReason.CHECK_DIGIT),
        ("04210000526", BarcodeRejectReason.LENGTH),
        ("04182634", BarcodeRejectReason.CHECK_DIGIT),
        ("07834009", BarcodeRejectReason.CHECK_DIGIT),
        ("40063813A3931", BarcodeRejectReason.NOT_DIGITS),
        ("", BarcodeRejectReason.NOT_DIGITS),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", BarcodeRejectReason.NOT_DIGITS),
    ],
)
def test_b1_wrong_ones_are_invalid_and_no_digit_is_guessed(code: str, reason: BarcodeRejectReason) -> None:
    with pytest.raises(NoGtin) as refused:
        normal_form.read(code)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("upc_e", "upc_a"),
    [
        ("01234505", "012000003455"),
        ("01234514", "012100003454"),
        ("04252614", "042100005264"),
        ("01234523", "012200003453"),
        ("01234531", "012300000451"),
        ("01234543", "012340000053"),
        ("01234558", "012345000058"),
        ("01234596", "012345000096"),
    ],
)
def test_b2_upc_e_is_expanded(upc_e: str, upc_a: str) -> None:
    assert normal_form.expanded(upc_e) == upc_a
    for found in (normal_form.read(upc_e, BarcodeFormat.UPC_E), normal_form.read(upc_e)):
        assert (found.digits, found.format) == (f"00{upc_a}", BarcodeFormat.UPC_E)


@pytest.mark.parametrize(
    "code",
    ["012345678905", "0012345678905", "00012345678905", " 0 12345 67890 5 ", "0-12345-67890-5"],
)
def test_b3_one_article_has_one_gtin(code: str) -> None:
    assert normal_form.read(code).digits == "00012345678905"


@pytest.mark.parametrize(
    ("code", "gtin", "format"),
    [
        ("01234565", "00012345000065", BarcodeFormat.UPC_E),
        ("04252614", "00042100005264", BarcodeFormat.UPC_E),
        ("96385074", "00000096385074", BarcodeFormat.EAN_8),
    ],
)
def test_b4_of_eight_digits_the_first_one_tells(code: str, gtin: str, format: BarcodeFormat) -> None:
    found = normal_form.read(code)
    assert (found.digits, found.format) == (gtin, format)


def test_b4_a_stated_format_counts() -> None:
    assert normal_form.read("01234565", BarcodeFormat.EAN_8).digits == "00000001234565"
    assert normal_form.read("01234565", BarcodeFormat.EAN_8).restricted


@pytest.mark.parametrize(
    ("code", "gtin", "elements"),
    [
        ("01095060001343521720122510ABC123", ARTICLE, Elements("ABC123", None, date(2020, 12, 25))),
        ("]d2010950600013435210ABC123\x1d17201225", ARTICLE, Elements("ABC123", None, date(2020, 12, 25))),
        ("010950600013435210ABC123\x1d17201225", ARTICLE, Elements("ABC123", None, date(2020, 12, 25))),
        ("(01)09506000134352(17)201225(10)ABC123", ARTICLE, Elements("ABC123", None, date(2020, 12, 25))),
        ("01095060001343521725022810LOT\x1d21SER1", ARTICLE, Elements("LOT", "SER1", date(2025, 2, 28))),
        (
            "0195012345678903310300075217250200",
            "95012345678903",
            Elements(None, None, date(2025, 2, 28), Decimal("0.752")),
        ),
    ],
)
def test_b5_element_strings_are_read(code: str, gtin: str, elements: Elements) -> None:
    found = carriers.read(code)
    assert found.gtin is not None
    assert (found.gtin.digits, found.format, found.elements) == (gtin, BarcodeFormat.GS1_ELEMENTS, elements)


def test_b5_a_wrong_check_digit_in_ai_01_is_invalid() -> None:
    found = carriers.read("01095060001343531720122510ABC")
    assert (found.gtin, found.fault) == (None, BarcodeRejectReason.CHECK_DIGIT)


@pytest.mark.parametrize(
    ("uri", "elements"),
    [
        (
            "https://id.gs1.org/01/09506000134352/10/ABC123?17=201225",
            Elements("ABC123", None, date(2020, 12, 25)),
        ),
        (
            "https://example.com/some/path/01/09506000134352?17=250200",
            Elements(None, None, date(2025, 2, 28)),
        ),
    ],
)
def test_b6_digital_links_are_read(uri: str, elements: Elements) -> None:
    found = carriers.read(uri)
    assert found.gtin is not None
    assert (found.gtin.digits, found.elements) == (ARTICLE, elements)
    assert found.format is BarcodeFormat.GS1_DIGITAL_LINK


@pytest.mark.parametrize(
    "uri", ["https://id.gs1.org/8004/0950600012345678", "https://example.com/", "(8004)0950600012345678"]
)
def test_b6_a_key_of_no_article_is_unsupported(uri: str) -> None:
    assert carriers.read(uri).unsupported


def test_b6_a_link_with_a_wrong_check_digit_is_invalid() -> None:
    assert carriers.read("https://id.gs1.org/01/09506000134353").fault is BarcodeRejectReason.CHECK_DIGIT


@pytest.mark.parametrize("case", ["10614141123459", "20614141123456"])
def test_b7_cases_contain_the_article(case: str) -> None:
    assert normal_form.contained(case) == "00614141123452"


@pytest.mark.parametrize("gtin", ["00614141123452", "95012345678903"])
def test_b7_articles_and_variable_measures_are_no_cases(gtin: str) -> None:
    assert normal_form.contained(gtin) is None


@pytest.mark.parametrize(
    ("code", "restricted"),
    [
        ("2012345678903", True),
        ("0212345678901", True),
        ("0412345678909", True),
        ("20123451", True),
        ("4006381333931", False),
        ("96385074", False),
    ],
)
def test_numbers_of_one_shop_are_restricted(code: str, restricted: bool) -> None:
    body = code[:-1]
    whole = body + normal_form.check_digit(body)
    assert normal_form.read(whole).restricted is restricted


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("250200", date(2025, 2, 28)),
        ("761231", date(2076, 12, 31)),
        ("770101", date(1977, 1, 1)),
        ("991231", date(1999, 12, 31)),
        ("251340", None),
    ],
)
def test_the_century_of_an_expiry_slides(written: str, day: date | None) -> None:
    assert carriers.expiry(written, date(2026, 12, 1)) == day


def test_the_century_slides_on() -> None:
    assert carriers.expiry("100101", date(2060, 1, 1)) == date(2110, 1, 1)
    assert carriers.expiry("110101", date(2060, 1, 1)) == date(2011, 1, 1)


BODIES = st.text("0123456789", min_size=11, max_size=11)


@given(BODIES)
def test_all_carriers_of_an_article_have_one_number(body: str) -> None:
    upc_a = body + normal_form.check_digit(body)
    assert ean.is_valid(f"0{upc_a}")
    gtin = f"00{upc_a}"
    forms = [
        upc_a,
        f"0{upc_a}",
        gtin,
        f"01{gtin}",
        f"(01){gtin}",
        f"]C101{gtin}{GS}10A",
        f"https://a.example/01/{gtin}",
    ]
    for form in forms:
        found = carriers.read(form)
        assert found.gtin is not None, form
        assert found.gtin.digits == gtin
    # The normal form of a normal form is itself.
    assert normal_form.read(gtin).digits == gtin


@given(BODIES, st.integers(0, 11), st.integers(1, 9))
def test_no_single_wrong_digit_passes(body: str, place: int, by: int) -> None:
    upc_a = body + normal_form.check_digit(body)
    wrong = str((int(upc_a[place]) + by) % 10)
    with pytest.raises(NoGtin):
        normal_form.read(f"{upc_a[:place]}{wrong}{upc_a[place + 1 :]}")


@given(st.text(max_size=200) | st.text("0123456789()]dC1/\x1d", max_size=60))
def test_whatever_is_scanned_is_read_or_said_to_be_no_code(text: str) -> None:
    found = carriers.read(text)
    assert (found.gtin is None) or (len(found.gtin.digits) == 14 and found.fault is None)
    for prefix in ("https://a.example/01/", "01", "(01)"):
        carriers.read(prefix + text)
