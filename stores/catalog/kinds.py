"""Enums of the catalog: states, forms, kinds."""

from enum import StrEnum


class ProductStatus(StrEnum):
    """State of a product."""

    ACTIVE = "ACTIVE"
    """On sale."""
    DISCONTINUED = "DISCONTINUED"
    """No longer sold; still found by its id."""
    HIDDEN = "HIDDEN"
    """Not published; only staff see it."""


class DosageForm(StrEnum):
    """Dosage form of a product."""

    TABLET = "TABLET"
    """Pressed tablets."""
    CAPSULE = "CAPSULE"
    """Capsules of powder."""
    SOFTGEL = "SOFTGEL"
    """Soft capsules of oil."""
    POWDER = "POWDER"
    """Powder to stir."""
    LIQUID = "LIQUID"
    """Drops, syrup or a drink."""
    CREAM = "CREAM"
    """For the skin."""
    OIL = "OIL"
    """Oil by the spoon."""
    SPRAY = "SPRAY"
    """Sprayed into the mouth or on the skin."""
    PATCH = "PATCH"
    """Worn on the skin."""
    TEA = "TEA"
    """Infused in hot water."""


class IntakeTimeslot(StrEnum):
    """Time of intake."""

    AM_WITH_FOOD = "AM_WITH_FOOD"
    """In the morning, with food."""
    AM_BEFORE_FOOD = "AM_BEFORE_FOOD"
    """In the morning, before food."""
    WITH_BREAKFAST = "WITH_BREAKFAST"
    """With breakfast."""
    LUNCH = "LUNCH"
    """With lunch."""
    CUSTOM = "CUSTOM"
    """At a time of one's own."""
    MIDDAY = "MIDDAY"
    """At midday."""
    PM_AFTER_FOOD = "PM_AFTER_FOOD"
    """In the evening, after food."""
    WITH_FOOD = "WITH_FOOD"
    """With any meal."""
    BEDTIME = "BEDTIME"
    """Before sleep."""
    PRE_WORKOUT = "PRE_WORKOUT"
    """Before training."""
    UNSPECIFIED = "UNSPECIFIED"
    """The label does not say."""
    ON_DECK = "ON_DECK"
    """Planned, not taken yet."""
    OFF_CYCLE = "OFF_CYCLE"
    """Paused on purpose."""


class MatchMethod(StrEnum):
    """Method by which a match was found."""

    RULES = "RULES"
    """By written rules."""
    KEYWORDS = "KEYWORDS"
    """By words in common."""
    ML = "ML"
    """By a model."""
    HYBRID = "HYBRID"
    """By several of these."""


class AvailabilityStatus(StrEnum):
    """Availability of a product."""

    IN_STOCK = "IN_STOCK"
    """Enough is there."""
    LOW_STOCK = "LOW_STOCK"
    """Five or fewer are left."""
    OUT_OF_STOCK = "OUT_OF_STOCK"
    """None is left."""
    BACKORDERED = "BACKORDERED"
    """None is left; more is on its way."""
    DISCONTINUED = "DISCONTINUED"
    """No longer sold."""


class DataQuality(StrEnum):
    """Data quality of an imported product."""

    OK = "OK"
    """Complete and understood."""
    WARN = "WARN"
    """Usable; something is missing or was not understood."""
    ERROR = "ERROR"
    """Something needed is missing: it cannot be published."""


class ProductSort(StrEnum):
    """Order of found products; equals are ordered by id."""

    RELEVANCE = "RELEVANCE"
    """Best match first; without a query, in a fixed order."""
    PRICE_ASC = "PRICE_ASC"
    """Cheapest first."""
    PRICE_DESC = "PRICE_DESC"
    """Dearest first."""
    NAME = "NAME"
    """By name."""
    NEWEST = "NEWEST"
    """Newest first."""
    RATING = "RATING"
    """Best rated first."""
    TOP_SELLING = "TOP_SELLING"
    """Most sold first."""


class ReviewSort(StrEnum):
    """Order of reviews."""

    NEWEST = "NEWEST"
    """Newest first."""
    HIGHEST = "HIGHEST"
    """Best rating first."""
    LOWEST = "LOWEST"
    """Worst rating first."""


class ReviewStatus(StrEnum):
    """Moderation status of a review."""

    PENDING = "PENDING"
    """Waits for a moderator; its author alone sees it."""
    PUBLISHED = "PUBLISHED"
    """Shown to everybody."""
    REJECTED = "REJECTED"
    """Not shown; its author sees it."""


class ReviewDecision(StrEnum):
    """Decision of a moderator on a review."""

    PUBLISH = "PUBLISH"
    """Show it."""
    REJECT = "REJECT"
    """Do not show it."""


class StockReason(StrEnum):
    """Reason of a manual stock change."""

    RECEIVE = "RECEIVE"
    """Goods came in."""
    CORRECTION = "CORRECTION"
    """It was counted again."""
    DAMAGE = "DAMAGE"
    """Goods were spoiled."""


class CommerceRole(StrEnum):
    """Shop role: permissions beyond buying; an administrator has them all."""

    CATALOG_ADMIN = "CATALOG_ADMIN"
    """Products, prices, imports, moderation of reviews."""
    INVENTORY_ADMIN = "INVENTORY_ADMIN"
    """Stock."""
    SUPPORT = "SUPPORT"
    """Help with carts and orders."""
    FULFILLMENT = "FULFILLMENT"
    """Packing and shipping."""
    BARCODE_REVIEWER = "BARCODE_REVIEWER"
    """Judges which product a barcode belongs to."""


class HolderType(StrEnum):
    """Kind of holder that stock is reserved for."""

    CART = "CART"
    """A cart in checkout."""
    ORDER = "ORDER"
    """An order."""


class ReservationState(StrEnum):
    """State of a hold on stock; all but HELD are final."""

    HELD = "HELD"
    """Kept for its holder until it expires."""
    COMMITTED = "COMMITTED"
    """Sold."""
    RELEASED = "RELEASED"
    """Given back."""
    EXPIRED = "EXPIRED"
    """Given back because its time was over."""


class TelemetryType(StrEnum):
    """Type of a telemetry event that apps report."""

    SEARCH = "SEARCH"
    """Searched."""
    VIEW = "VIEW"
    """Looked at something."""
    ADD_TO_CART = "ADD_TO_CART"
    """Put something into the cart."""
    WISHLIST = "WISHLIST"
    """Put something on the wishlist."""
    REFILL_OPT_IN = "REFILL_OPT_IN"
    """Switched refills on."""
    PREDICTION_FEEDBACK = "PREDICTION_FEEDBACK"
    """Corrected a prediction."""
    SCAN = "SCAN"
    """Scanned a barcode."""
    REORDER = "REORDER"
    """Ordered again."""
    FAVORITE_TOGGLE = "FAVORITE_TOGGLE"
    """Marked or unmarked a favorite."""
