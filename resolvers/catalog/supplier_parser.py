"""Parser of supplier data: amounts, doses, times, prices. Nothing here touches the database."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.values import money, numbers
from core.values.currencies import NONE
from core.values.words import FOLDING, fold, key, slug, words
from stores.catalog.kinds import (
    Allergen,
    BundleLinkKind,
    DataQuality,
    DosageForm,
    IntakeTimeslot,
    MatchMethod,
)

CATEGORIES = {
    "Fish Oil & Omegas": "Cardiovascular",
    "Vitamins & Minerals": "Metabolic Health",
    "Probiotics & Prebiotics": "Digestive Health",
    "Mushrooms & Adaptogens": "Immune Support",
    "Herbal & Botanical": "General Health",
    "Sleep Support": "Brain/Mood",
    "Joint & Mobility": "Structural Health",
}
"""Health goal of each category."""
OTHER_GOAL = "General Health"

GOALS = {
    "Cardiovascular": ("heart", "cholesterol", "triglycerides", "blood pressure", "circulation", "omega"),
    "Metabolic Health": ("metabolism", "energy", "blood sugar", "glucose", "vitamin", "mineral"),
    "Digestive Health": ("digestion", "gut", "probiotic", "prebiotic", "bloating", "fiber"),
    "Immune Support": ("immune", "immunity", "defence", "beta glucan", "resilience"),
    "Brain/Mood": ("sleep", "calm", "mood", "focus", "memory", "relaxation", "brain"),
    "Structural Health": ("joint", "cartilage", "mobility", "bone", "collagen", "muscle"),
}

FORMS = {
    **{form.lower(): form for form in DosageForm},
    **{f"{form.lower()}s": form for form in DosageForm},
    "caplet": DosageForm.TABLET,
    "lozenge": DosageForm.TABLET,
    "chewable": DosageForm.TABLET,
    "vcap": DosageForm.CAPSULE,
    "veggie capsule": DosageForm.CAPSULE,
    "vegetarian capsules": DosageForm.CAPSULE,
    "soft gel": DosageForm.SOFTGEL,
    "softgel capsule": DosageForm.SOFTGEL,
    "drops": DosageForm.LIQUID,
    "tincture": DosageForm.LIQUID,
    "syrup": DosageForm.LIQUID,
    "gel": DosageForm.CREAM,
    "ointment": DosageForm.CREAM,
    "tea bags": DosageForm.TEA,
}

TIMES: Sequence[tuple[str, IntakeTimeslot]] = (
    ("before breakfast", IntakeTimeslot.AM_BEFORE_FOOD),
    ("empty stomach", IntakeTimeslot.AM_BEFORE_FOOD),
    ("with breakfast", IntakeTimeslot.WITH_BREAKFAST),
    ("morning with food", IntakeTimeslot.AM_WITH_FOOD),
    ("with lunch", IntakeTimeslot.LUNCH),
    ("midday", IntakeTimeslot.MIDDAY),
    ("after dinner", IntakeTimeslot.PM_AFTER_FOOD),
    ("before bed", IntakeTimeslot.BEDTIME),
    ("bedtime", IntakeTimeslot.BEDTIME),
    ("before workout", IntakeTimeslot.PRE_WORKOUT),
    ("with food", IntakeTimeslot.WITH_FOOD),
    ("with meals", IntakeTimeslot.WITH_FOOD),
    ("with a meal", IntakeTimeslot.WITH_FOOD),
)

ALLERGENS = {
    **{key(each): each for each in Allergen},
    **dict.fromkeys(("wheat", "rye", "barley", "oats", "spelt"), Allergen.GLUTEN),
    **dict.fromkeys(("crustacean", "shrimp", "crab", "lobster", "shellfish"), Allergen.CRUSTACEANS),
    **dict.fromkeys(("egg", "egg white"), Allergen.EGGS),
    "peanut": Allergen.PEANUTS,
    **dict.fromkeys(("soya", "soybean", "soybeans"), Allergen.SOY),
    **dict.fromkeys(("lactose", "dairy", "whey", "casein"), Allergen.MILK),
    **dict.fromkeys(
        ("tree nut", "nuts", "almonds", "hazelnuts", "walnuts", "cashews", "pecans", "pistachios"),
        Allergen.TREE_NUTS,
    ),
    **dict.fromkeys(("sesame seeds", "sesame seed"), Allergen.SESAME),
    **dict.fromkeys(("sulfite", "sulphites", "sulfur dioxide", "sulphur dioxide"), Allergen.SULFITES),
    **dict.fromkeys(("lupine", "lupins"), Allergen.LUPIN),
    **dict.fromkeys(("mollusk", "molluscs", "mussels", "squid", "oysters"), Allergen.MOLLUSKS),
}
"""Names of allergens on labels."""

UNITS = r"mg|mcg|µg|μg|ug|g|iu|billion cfu|million cfu|cfu|ml|%|hdu|fu"
AMOUNT = re.compile(
    r"(?P<name>.*?\S)(?P<gap>[\s:]+)"
    rf"(?P<amount>(?:\d|[.,](?=\d))(?:[\d.,'\u066b\u066c]|\s(?=\d))*)\s*(?P<unit>{UNITS})",
    re.IGNORECASE | re.ASCII,
)
NUMBERED = re.compile(r"(?:^|[\s(])(?:[a-z]|omega|q|co-?q|type|stage|no\.?|nr\.?)$", re.IGNORECASE)
"""Names that go on with a number of their own: `Omega 3 500 mg`, `Vitamin B 12 500 mcg`."""
UNIT_NAMES = {"ug": "mcg", "µg": "mcg", "μg": "mcg", "iu": "IU", "billion cfu": "billion CFU", "cfu": "CFU"}
DOSE = re.compile(
    r"(?P<units>\d+(?:[.,\u066b]\d+)?(?:\s*-\s*\d+)?)\s*(?P<what>[a-z]+)\b.*?(?P<often>"
    r"once daily|twice daily|three times daily|daily|per day|every other day|weekly|as needed)?\s*$",
    re.IGNORECASE,
)
TIMES_A_DAY = {"once daily": 1, "daily": 1, "per day": 1, "twice daily": 2, "three times daily": 3}

LONGEST_TEXT = 4_000
MOST_SERVINGS = 10_000
MOST_IN_STOCK = 1_000_000
MOST_INGREDIENTS = 60
LONGEST_INGREDIENT = 300


@dataclass(slots=True)
class Read:
    """Result of parsing a supplier's row: a product's fields, or the errors that prevent one."""

    fields: dict[str, Any] = field(default_factory=dict)
    variant: dict[str, Any] = field(default_factory=dict)
    category: str = ""
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    saved: bool = True
    """True if there is enough to store the product."""

    @property
    def quality(self) -> DataQuality:
        if self.errors:
            return DataQuality.ERROR
        return DataQuality.WARN if self.warnings else DataQuality.OK

    @property
    def issues(self) -> list[str]:
        return [*self.errors, *self.warnings]


def read(row: dict[str, str | None], country: str = "") -> Read:
    """Parse a raw row into a product, for a shop in the country (ISO 3166).

    A price that nobody understands makes it a draft: kept and told to staff, but never sold.
    """
    given = {name: (value or "").strip()[:LONGEST_TEXT] for name, value in row.items()}
    result = Read()
    form = FORMS.get(" ".join(words(given.get("form", ""))))
    price = money.read_price(given.get("price", ""), country)
    for name, value in (
        ("name", given.get("name")),
        ("brand", given.get("brand")),
        ("price", given.get("price")),
        ("form", form),
    ):
        if not value:
            result.errors.append(f"No {name}." if not given.get(name) else f"Unknown {name}.")
    if result.errors or form is None:
        result.saved = False
        return result
    if price is None:
        result.errors.append("Unknown price.")
    _describe(given, form, result)
    result.variant = _variant(given, price, country, result)
    return result


def _describe(given: dict[str, str], form: DosageForm, result: Read) -> None:
    listed = ingredients(given.get("ingredients", ""))
    if not listed:
        result.warnings.append("No ingredients.")
    result.warnings += [
        f"Unknown amount: {each['name'][:60]!r}."
        for each in listed
        if each["amount"] is None and AMOUNT.fullmatch(numbers.plain(each["name"]))
    ]
    result.category = _category(given.get("category", ""), result)
    servings = _servings(given, result)
    dose = dosage(given.get("dosage", ""), listed)
    if not given.get("dosage"):
        result.warnings.append("No dosage.")
    name, brand = given["name"][:200], given["brand"][:100]
    description = given.get("description", "")
    links = bundle_links(" ".join([name, description, given.get("purposes", "")]))
    goals = [CATEGORIES.get(result.category, OTHER_GOAL)]
    goals += [each["goal"] for each in links if each["goal"] not in goals]
    result.fields = {
        "name": name,
        "name_key": key(name),
        "brand": brand,
        "brand_key": key(brand),
        "import_key": "|".join([key(brand), key(name), form]),
        "slug": slug(f"{brand} {name} {form}"),
        "description": description,
        "folded": FOLDING,
        "form": form,
        "goals": goals,
        "purposes": listing(given.get("purposes", "")),
        "impacted_biomarkers": listing(given.get("biomarkers", "")),
        "ingredients_text": given.get("ingredients", ""),
        "ingredients": listed,
        "ingredient_keys": list(dict.fromkeys(key(each["name"]) for each in listed)),
        "directions": given.get("directions", "") or given.get("dosage", ""),
        "serving_size": given.get("serving_size") or None,
        "servings_per_container": servings,
        "dosage": dose,
        "schedule": schedule(given.get("schedule", "")),
        "bundle_links": links,
        "product_url": _address(given.get("url", ""), result),
    }
    if given.get("allergens"):
        # A row that does not say leaves what is known.
        result.fields["allergens"] = allergens(given["allergens"], result)


def allergens(text: str, result: Read) -> list[Allergen] | None:
    """Allergens by their names; None, not known, if one name is unknown: somebody may not bear that one."""
    named = [key(each) for each in listing(text)]
    if named == ["none"]:
        return []
    unknown = [each for each in named if each not in ALLERGENS]
    if unknown:
        result.warnings.append(f"Unknown allergen {unknown[0][:60]!r}.")
        return None
    return [each for each in Allergen if each in {ALLERGENS.get(name) for name in named}]


def _category(text: str, result: Read) -> str:
    known = {key(name): name for name in CATEGORIES}
    found = known.get(key(text))
    if found is None:
        result.warnings.append(f"Unknown category {text[:60]!r}." if text else "No category.")
    return found or (text[:80] if slug(text) else "Other")


def _servings(given: dict[str, str], result: Read) -> int:
    servings = numbers.count(given.get("servings", ""))
    if servings is None:
        result.warnings.append("No servings per container: taken to be 30.")
        return 30
    if not 1 <= servings <= MOST_SERVINGS:
        result.errors.append("Servings per container must be 1 to 10,000.")
        return 1
    return servings


def _address(text: str, result: Read) -> str | None:
    if text and not re.match(r"https?://[^\s]+$", text):
        result.warnings.append("The address of its page is not one.")
        return None
    return text or None


def _variant(
    given: dict[str, str], price: tuple[int, str] | None, country: str, result: Read
) -> dict[str, Any]:
    size = given.get("size", "")
    minor, currency = price or (0, NONE)
    before = money.read_price(given.get("compare_at_price", ""), country)
    reduced = before is not None and price is not None and before[1] == currency and before[0] > minor
    return {
        "sku": given.get("sku", "")[:64].upper() or None,
        "title": size[:100] or "Standard",
        "attributes": [{"name": "size", "value": size[:100]}] if size else [],
        "price": minor,
        "compare_at_price": before[0] if before and reduced else None,
        "currency": currency,
        "barcodes": listing(given.get("barcodes", "")),
        "active": price is not None,
        "stock": _stock(given.get("stock", ""), result),
    }


def _stock(text: str, result: Read) -> int:
    number = numbers.count(text)
    if text and (number is None or number < 0):
        result.warnings.append("Unknown stock: taken to be 0.")
    return min(max(number or 0, 0), MOST_IN_STOCK)


def ingredients(text: str) -> list[dict[str, Any]]:
    """`Vitamin D3 25 mcg; MCT oil` as names with amounts; what may be two amounts stays part of the name."""
    parts = [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]
    return [_ingredient(part) for part in parts[:MOST_INGREDIENTS]]


def _ingredient(part: str) -> dict[str, Any]:
    match = AMOUNT.fullmatch(numbers.plain(part)) if len(part) <= LONGEST_INGREDIENT else None
    name, amount = _amount(part, match) if match else (part, None)
    if match is None or amount is None:
        return {"name": part[:100], "amount": None, "unit": None}
    unit = match["unit"].lower()
    return {"name": name[:100], "amount": format(amount, "f"), "unit": UNIT_NAMES.get(unit, unit)}


def _amount(part: str, match: re.Match[str]) -> tuple[str, Decimal | None]:
    """Split a name from its amount: names may end with numbers, and numbers have spaces."""
    name, text = part[: match.end("name")].strip(), match["amount"]
    number = numbers.read(text)
    if number is None:
        start = match.start("amount") + text.rfind(" ") + 1
        return part[:start].rstrip(" :"), numbers.read(text.rpartition(" ")[2])
    # `Omega 3 500 mg` may be 500 mg or 3.5 g: an ambiguous amount is left out.
    written = part[slice(*match.span("amount"))]
    loose = " " in written and ":" not in match["gap"] and not text.rpartition(" ")[2].startswith("0")
    return name, None if loose and NUMBERED.search(name) else number


def dosage(text: str, listed: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`2 capsules twice daily`, with the amount of the first ingredient."""
    main = next((each for each in listed if each["amount"]), None)
    match = DOSE.match(numbers.plain(text.strip()))
    often = (match["often"] or "").lower() if match else ""
    total = None
    if main and often in TIMES_A_DAY:
        total = format(Decimal(main["amount"]) * TIMES_A_DAY[often], "f")
    return {
        "amount_per_serving": main["amount"] if main else None,
        "unit_per_serving": main["unit"] if main else None,
        "recommended_units": f"{_units(match['units'])} {match['what'].lower()}" if match else None,
        "recommended_frequency": often or None,
        "total_daily_amount": total,
        "total_daily_unit": main["unit"] if main and total else None,
        "raw": text or None,
    }


def _units(text: str) -> str:
    """`1,5` as `1.5`; a span, and what may be two numbers, as it stands."""
    number = numbers.read(text)
    return text if number is None else format(number, "f")


def schedule(text: str) -> dict[str, Any]:
    folded = fold(text)
    slots = list(dict.fromkeys(slot for phrase, slot in TIMES if phrase in folded))
    return {"timeslots": slots or [IntakeTimeslot.UNSPECIFIED], "raw": text or None}


def bundle_links(text: str) -> list[dict[str, Any]]:
    """Health goals that its words match, with a confidence."""
    found = f" {key(text)} "
    links = []
    for goal, spoken in GOALS.items():
        matched = [word for word in spoken if f" {key(word)}" in found]
        if matched:
            links.append(
                {
                    "type": BundleLinkKind.GOAL,
                    "goal": goal,
                    "subgoal": None,
                    "confidence": round(min(0.95, 0.4 + 0.2 * len(matched)), 2),
                    "match_method": MatchMethod.KEYWORDS,
                    "matched_keywords": matched,
                }
            )
    return links


def listing(text: str) -> list[str]:
    return [part.strip()[:100] for part in re.split(r"[;|]", text) if part.strip()][:30]
