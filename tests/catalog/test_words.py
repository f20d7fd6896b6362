# ruff: noqa: RUF001
"""Words of every script, numbers of articles and slips of the finger: what is typed finds what is meant."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context import Context, Services
from core.values import words as words_module
from core.values.words import closeness, fold, key, near_keys, query_terms, slug, terms, words
from jobs import catalog as jobs
from resolvers.catalog import refolding
from stores.catalog import entries, products
from tests.catalog.steps import camel, found, import_rows, names, on_sale, row, unique
from tests.phone import Phone


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u0130STANBUL", "istanbul"),
        ("\u0131s\u0131", "ISI"),
        ("SMØRREBRØD", "smorrebrod"),
        ("Łódź", "lodz"),
        ("Đà Nẵng", "da nang"),
        ("STRASSE", "straße"),
        ("GROẞ", "gross"),
        ("Æble", "aeble"),
        ("Œuf", "oeuf"),
        ("Þór", "thor"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσεύς"),
        ("Ёлка", "ЕЛКА"),
        ("Ｖｉｔａｍｉｎ", "vitamin"),
        ("ﬁsh oil", "FISH OIL"),
        ("ﻣﺤﻤﺪ", "محمد"),
        ("محمـــد", "محمد"),
        ("مُحَمَّد", "محمد"),
        ("إسلام", "اسلام"),
        ("کیمیا", "كيميا"),
        ("שָׁלוֹם", "שלום"),
        ("ｶﾞﾗｽ", "ガラス"),
        ("\u0665\u0660\u0660", "500"),
        ("e\u0301te\u0301", "été"),
        ("co\u00adenzyme", "coenzyme"),
        ("Lion\u2019s", "lions"),
    ],
)
def test_spellings_of_one_word_are_one(one: str, other: str) -> None:
    assert words(one) == words(other) != []


@pytest.mark.parametrize(
    ("one", "other"),
    [("が", "か"), ("กำ", "กา"), ("कि", "का"), ("ป่า", "ปา"), ("한", "하"), ("மு", "மி")],
)
def test_vowel_signs_make_other_words(one: str, other: str) -> None:
    assert words(one) != words(other)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("วิตามินซี 500", "วิตามินซี-500"),
        ("विटामिन सी", "विटामिन-सी"),
        ("இஞ்சி தேநீர்", "இஞ்சி-தேநீர்"),
        ("ভিটামিন ডি", "ভিটামিন-ডি"),
        ("Größe Øl", "grosse-ol"),
        ("葡萄糖胺 D3", "葡萄糖胺-d3"),
    ],
)
def test_slugs_keep_vowel_signs(text: str, shown: str) -> None:
    assert slug(text) == unicodedata.normalize("NFC", shown)


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert key(key(text)) == key(text)
    assert slug(text) == slug(slug(text))


@given(st.text(alphabet="葡萄糖胺ビタミンกข비타abc123 ", min_size=1, max_size=20))
def test_every_part_of_what_is_written_together_is_found(text: str) -> None:
    """The words of any substring are among the indexed words of its text."""
    for word in words(text):
        for start in range(len(word)):
            for end in range(start + 1, len(word) + 1):
                part = word[start:end]
                if not any(each.isascii() for each in part):
                    assert set(query_terms(part)) <= set(terms(text)), part


def test_chinese_is_found_by_pairs_and_single_letters() -> None:
    assert terms("葡萄糖 D3") == ["葡", "萄", "糖", "葡萄", "萄糖", "d3"]
    assert query_terms("葡萄糖") == ["葡萄", "萄糖"]
    assert query_terms("糖") == ["糖"]


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("magnesium", "magnesium", 0),
        ("magnesim", "magnesium", 1),
        ("magnnesium", "magnesium", 1),
        ("magnisium", "magnesium", 1),
        ("magneisum", "magnesium", 1),
        ("capsules", "capsule", 1),
        ("berries", "berry", 1),
        ("boxes", "box", 1),
        ("amgnesium", "magnesium", None),
        ("nagnesium", "magnesium", None),
        ("mangesiun", "magnesium", None),
        ("abcde", "acdeb", None),
    ],
)
def test_slips_are_counted(one: str, other: str, slips: int | None) -> None:
    assert closeness(one, other) == closeness(other, one) == slips
    if slips is not None:
        assert set(near_keys(one)) & set(near_keys(other))


PLACES = {"Ürün İlaçları": "urun ilaclari", "Žluť Øl Straße": "zlut ol strasse", "Æther Łódź": "aether lodz"}


@pytest.mark.parametrize("name", PLACES)
async def test_names_are_found_without_case_and_accents_of_any_script(
    name: str, services: Services, admin: Phone, anonymous: Phone
) -> None:
    brand = unique("brand")
    await on_sale(services, admin, row(name=name, brand=brand))
    for query in (PLACES[name], name.upper(), name.casefold()):
        assert names(await found(anonymous, query=f"{brand} {query}")) == [name], query


@pytest.mark.parametrize(
    ("name", "queries", "misses"),
    [
        ("有機葡萄糖胺膠囊", ["葡萄糖", "膠囊", "糖", "葡萄糖胺膠囊"], ["葡糖", "蛋"]),
        ("ビタミンDサプリ", ["ビタミン", "サプリ", "ﾋﾞﾀﾐﾝ"], ["ヒタミン"]),
        ("วิตามินซีเข้มข้น", ["วิตามิน", "ซี", "เข้มข้น"], ["วิตามูน"]),
        ("विटामिन सी गोली", ["विटामिन", "गोली"], ["विटामीन"]),
        ("종합비타민디", ["비타민", "비타민디"], ["비디"]),
    ],
)
async def test_scripts_without_blanks_or_with_vowel_signs_are_searched(
    name: str, queries: list[str], misses: list[str], services: Services, admin: Phone, anonymous: Phone
) -> None:
    brand = unique("brand")
    [made] = await on_sale(services, admin, row(name=name, brand=brand))
    assert slug(name) in made["slug"]
    for query in queries:
        assert name in names(await found(anonymous, query=query)), query
        assert names(await found(anonymous, query=f"{brand} {query}")) == [name], query
    for query in misses:
        assert name not in names(await found(anonymous, query=query)), query


async def test_articles_are_found_by_their_numbers_however_they_are_typed(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    sku = f"LF-{unique('q')[:6]}-{unique('9')[-6:]}".upper()
    digits = str(int(unique("1")[1:], 16) % 10**11).zfill(11)
    barcode = f"4{digits}7"
    name = f"Numbered {unique()}"
    await on_sale(services, admin, row(name=name, sku=sku, barcodes=barcode))
    queries = [sku, sku.lower(), sku.replace("-", ""), sku.replace("-", " ")]
    queries += [barcode, f"{barcode[0]} {barcode[1:7]} {barcode[7:]}", f"{barcode[:3]}-{barcode[3:]}"]
    queries += [f"0{barcode}", barcode[:10], barcode.translate({48 + n: 0x0660 + n for n in range(10)})]
    for query in queries:
        hits = await found(anonymous, query=query)
        assert names(hits) == [name], query
        assert hits["edges"][0]["match"]["reason"].startswith("Its number is "), query


async def test_a_plural_and_a_missing_letter_are_found(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    await on_sale(
        services,
        admin,
        row(name="Quillwort Dropberry", brand="Nordic"),
        row(name="Marshfrond Capsule", brand="Nordic"),
    )
    slips = ("quilwort", "quillwrt", "qiullwort", "Quillworts", "quillwort dropberries", "dropbery quillwort")
    for query in slips:
        hits = await found(anonymous, query=query)
        assert names(hits) == ["Quillwort Dropberry"], query
        assert hits["totalCount"] == 1
    assert names(await found(anonymous, query="marshfrnd capsules")) == ["Marshfrond Capsule"]
    reason = (await found(anonymous, query="quilwort"))["edges"][0]["match"]["reason"]
    assert reason == "Its name has “quillwort”."
    for miss in ("wuillwort", "quillw0rt", "quilwot", "frobnicate"):
        assert names(await found(anonymous, query=miss)) == [], miss


async def test_no_slip_is_forgiven_where_there_are_digits(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    word = unique("zq7x")
    await on_sale(services, admin, row(name=f"Named {word}"))
    assert names(await found(anonymous, query=word)) == [f"Named {word}"]
    assert names(await found(anonymous, query=word[:-2] + "y" + word[-1])) == []


async def test_a_slip_is_mended_alike_on_every_page(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    await on_sale(services, admin, *(row(name=f"Glimmerwort {letter}") for letter in "abcde"))
    first = await found(anonymous, query="glimerwort", first=2)
    second = await found(anonymous, query="glimerwort", first=3, after=first["pageInfo"]["endCursor"])
    assert sorted(names(first) + names(second)) == [f"Glimmerwort {letter}" for letter in "abcde"]
    assert second["pageInfo"]["hasNextPage"] is False


async def test_what_an_earlier_version_folded_is_folded_anew(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    """After an upgrade: keys and entries are made again, nobody is told, and rows find their products."""
    brand = unique("Brand")
    raw_row = row(name="Øllegård Straße", brand=brand)
    [made] = await on_sale(services, admin, raw_row)
    earlier = {"name_key": "øllegard strasse", "import_key": f"{brand.lower()}|øllegard strasse|CAPSULE"}
    update = {"q": {"_id": made["id"]}, "u": {"$set": earlier, "$unset": {"folded": ""}}}
    await services.db.write({"update": products.products.name, "updates": [update]})
    await entries.put_entry(services.db, made["id"], None)
    refused = await admin.do("importProducts", "results { rowIndex }", rows=[camel(raw_row)])
    assert [(each["code"], each["retryable"]) for each in refused["errors"]] == [("UNAVAILABLE", True)]
    await jobs.refold(services)
    await jobs.tell(services)
    assert names(await found(anonymous, query=f"{brand} ollegard")) == ["Øllegård Straße"]
    [again] = await import_rows(admin, [raw_row])
    assert (again["product"]["id"], again["product"]["version"]) == (made["id"], 1)
    assert await refolding.refold(Context(services)) == 0


async def test_two_products_that_folding_makes_alike_both_stay(services: Services, admin: Phone) -> None:
    brand = unique("brand")
    plain, accented = await on_sale(
        services, admin, row(name="Ol one", brand=brand), row(name="Ol two", brand=brand)
    )
    earlier = {"name": "Øl one", "import_key": f"{brand}|øl one|CAPSULE"}
    update = {"q": {"_id": accented["id"]}, "u": {"$set": earlier, "$unset": {"folded": ""}}}
    await services.db.write({"update": products.products.name, "updates": [update]})
    await jobs.refold(services)
    kept = {
        each["_id"]: each["import_key"]
        for each in await products.by_ids(services.db, [plain["id"], accented["id"]])
    }
    assert kept == {plain["id"]: f"{brand}|ol one|CAPSULE", accented["id"]: f"{brand}|øl one|CAPSULE"}
    assert await refolding.refold(Context(services)) == 0


def test_long_texts_are_folded_and_not_remembered() -> None:
    """Filters of a megabyte each, no two alike, were kept twenty thousand at a time."""
    before = (words_module._kept_fold.cache_info().currsize, words_module._kept_key.cache_info().currsize)
    assert key("Ω " * 1_000 + "End") == " ".join(["ω"] * 1_000 + ["end"])
    assert fold("É" * 1_000) == "e" * 1_000
    after = (words_module._kept_fold.cache_info().currsize, words_module._kept_key.cache_info().currsize)
    assert after == before
