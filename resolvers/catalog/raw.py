"""Reading what suppliers write: amounts, doses, times, prices. Nothing here touches the database."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from resolvers.catalog.words import fold, key, slug, words
from stores.catalog.kinds import DataQuality, DosageForm, IntakeTimeslot, MatchMethod

CATEGORIES = {
    "Fish Oil & Omegas": "Cardiovascular",
    "Vitamins & Minerals": "Metabolic Health",
    "Probiotics & Prebiotics": "Digestive Health",
    "Mushrooms & Adaptogens": "Immune Support",
    "Herbal & Botanical": "General Health",
    "Sleep Support": "Brain/Mood",
    "Joint & Mobility": "Structural Health",
}
"""Categories with the health goal they serve."""
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

UNITS = r"mg|mcg|µg|μg|ug|g|iu|billion cfu|million cfu|cfu|ml|%|hdu|fu"
AMOUNT = re.compile(rf"^(?P<name>.+?)[\s:]+(?P<amount>[\d.,]+)\s*(?P<unit>{UNITS})$", re.IGNORECASE)
UNIT_NAMES = {"ug": "mcg", "µg": "mcg", "μg": "mcg", "iu": "IU", "billion cfu": "billion CFU", "cfu": "CFU"}
DOSE = re.compile(
    r"(?P<units>\d+(?:[.,]\d+)?(?:\s*-\s*\d+)?)\s*(?P<what>[a-z]+)\b.*?(?P<often>"
    r"once daily|twice daily|three times daily|daily|per day|every other day|weekly|as needed)?\s*$",
    re.IGNORECASE,
)
TIMES_A_DAY = {"once daily": 1, "daily": 1, "per day": 1, "twice daily": 2, "three times daily": 3}
CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP"}
NUMBER = re.compile(r"\d+")

LONGEST_TEXT = 4_000
MOST_SERVINGS = 10_000
MOST_IN_STOCK = 1_000_000
MOST_MINOR_UNITS = 100_000_000
MOST_INGREDIENTS = 60


@dataclass(slots=True)
class Read:
    """What came of a raw row: a product's fields, or why there is none."""

    fields: dict[str, Any] = field(default_factory=dict)
    variant: dict[str, Any] = field(default_factory=dict)
    category: str = ""
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    saved: bool = True
    """Whether enough is there to keep it."""

    @property
    def quality(self) -> DataQuality:
        if self.errors:
            return DataQuality.ERROR
        return DataQuality.WARN if self.warnings else DataQuality.OK

    @property
    def issues(self) -> list[str]:
        return [*self.errors, *self.warnings]


def read(row: dict[str, str | None]) -> Read:
    """A product of the raw row."""
    given = {name: (value or "").strip()[:LONGEST_TEXT] for name, value in row.items()}
    result = Read()
    form = FORMS.get(" ".join(words(given.get("form", ""))))
    price = money(given.get("price", ""))
    for name, value in (
        ("name", given.get("name")),
        ("brand", given.get("brand")),
        ("price", price is not None),
        ("form", form),
    ):
        if not value:
            result.errors.append(f"No {name}." if not given.get(name) else f"Unknown {name}.")
    if result.errors or form is None or price is None:
        result.saved = False
        return result
    _describe(given, form, result)
    result.variant = _variant(given, *price)
    return result


def _describe(given: dict[str, str], form: DosageForm, result: Read) -> None:
    listed = ingredients(given.get("ingredients", ""))
    if not listed:
        result.warnings.append("No ingredients.")
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


def _category(text: str, result: Read) -> str:
    known = {key(name): name for name in CATEGORIES}
    found = known.get(key(text))
    if found is None:
        result.warnings.append(f"Unknown category {text[:60]!r}." if text else "No category.")
    return found or (text[:80] if slug(text) else "Other")


def _servings(given: dict[str, str], result: Read) -> int:
    number = NUMBER.search(given.get("servings", ""))
    servings = int(number.group()[:9]) if number else 0
    if not number:
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


def _variant(given: dict[str, str], price: int, currency: str) -> dict[str, Any]:
    size = given.get("size", "")
    before = money(given.get("compare_at_price", ""))
    return {
        "sku": given.get("sku", "")[:64].upper() or None,
        "title": size[:100] or "Standard",
        "attributes": [{"name": "size", "value": size[:100]}] if size else [],
        "price": price,
        "compare_at_price": before[0] if before and before[0] > price else None,
        "currency": currency,
        "barcodes": [code for code in listing(given.get("barcodes", "")) if code.isdigit()],
        "stock": min(int(stock.group()[:9]), MOST_IN_STOCK)
        if (stock := NUMBER.search(given.get("stock", "")))
        else 0,
    }


def money(text: str) -> tuple[int, str] | None:
    """`€24.90`, `24,90 EUR` or `$1,299.00` in minor units with its currency; None for anything else."""
    currency = next((code for sign, code in CURRENCIES.items() if sign in text), None)
    named = re.search(r"\b(EUR|USD|GBP)\b", text.upper())
    digits = re.sub(r"[^\d.,-]", "", text)
    if "," in digits and digits.rfind(",") > digits.rfind(".") and len(digits) - digits.rfind(",") <= 3:
        digits = digits.replace(".", "").replace(",", ".")
    try:
        minor = (Decimal(digits.replace(",", "")) * 100).to_integral_value()
    except (InvalidOperation, ValueError):
        return None
    if not 0 < minor <= MOST_MINOR_UNITS:
        return None
    return int(minor), currency or (named.group() if named else "EUR")


def ingredients(text: str) -> list[dict[str, Any]]:
    """`Vitamin D3 25 mcg; MCT oil` as names with amounts."""
    found = []
    for part in re.split(r"[;\n]", text):
        match = AMOUNT.match(part.strip())
        if match:
            unit = match["unit"].lower()
            amount = match["amount"].replace(",", "").rstrip(".")
            found.append(
                {"name": match["name"].strip()[:100], "amount": amount, "unit": UNIT_NAMES.get(unit, unit)}
            )
        elif part.strip():
            found.append({"name": part.strip()[:100], "amount": None, "unit": None})
    return found[:MOST_INGREDIENTS]


def dosage(text: str, listed: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`2 capsules twice daily`, with the amount of the first ingredient."""
    main = next((each for each in listed if each["amount"]), None)
    match = DOSE.match(text.strip())
    often = (match["often"] or "").lower() if match else ""
    total = None
    if main and often in TIMES_A_DAY:
        try:
            total = str(Decimal(main["amount"]) * TIMES_A_DAY[often])
        except InvalidOperation:
            total = None
    return {
        "amount_per_serving": main["amount"] if main else None,
        "unit_per_serving": main["unit"] if main else None,
        "recommended_units": f"{match['units']} {match['what'].lower()}" if match else None,
        "recommended_frequency": often or None,
        "total_daily_amount": total,
        "total_daily_unit": main["unit"] if main and total else None,
        "raw": text or None,
    }


def schedule(text: str) -> dict[str, Any]:
    folded = fold(text)
    slots = list(dict.fromkeys(slot for phrase, slot in TIMES if phrase in folded))
    return {"timeslots": slots or [IntakeTimeslot.UNSPECIFIED], "raw": text or None}


def bundle_links(text: str) -> list[dict[str, Any]]:
    """Health goals its words speak of, with how sure that is."""
    found = f" {key(text)} "
    links = []
    for goal, spoken in GOALS.items():
        matched = [word for word in spoken if f" {key(word)}" in found]
        if matched:
            links.append(
                {
                    "type": "GOAL",
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
