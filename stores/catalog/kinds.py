"""Enums of the catalog: states, forms, kinds."""

from enum import StrEnum

from core.security.access import for_staff


class ProductStatus(StrEnum):
    """Life-cycle status of a product."""

    ACTIVE = "ACTIVE"
    """Product is on sale; it can be discontinued."""
    DISCONTINUED = "DISCONTINUED"
    """Product is no longer sold and left out of searches, but still read by its id or slug; it can go on sale
    again."""
    HIDDEN = "HIDDEN"
    """Product is a draft that only staff see, until it is made ACTIVE; it is never hidden again."""


for_staff(ProductStatus.HIDDEN)


class DosageForm(StrEnum):
    """Dosage form of a product."""

    TABLET = "TABLET"
    """Tablets, caplets, lozenges or chewables."""
    CAPSULE = "CAPSULE"
    """Hard capsules, filled with powder."""
    SOFTGEL = "SOFTGEL"
    """Soft capsules, filled with oil."""
    POWDER = "POWDER"
    """Powder to stir into a drink."""
    LIQUID = "LIQUID"
    """Drops, tincture, syrup or a drink."""
    CREAM = "CREAM"
    """Cream, gel or ointment for the skin."""
    OIL = "OIL"
    """Oil taken by the spoon."""
    SPRAY = "SPRAY"
    """Spray for the mouth or the skin."""
    PATCH = "PATCH"
    """Patch worn on the skin."""
    TEA = "TEA"
    """Tea to infuse in hot water."""


class Allergen(StrEnum):
    """Allergen that food must declare (Regulation (EU) No 1169/2011, annex II)."""

    GLUTEN = "GLUTEN"
    """Gluten of cereals such as wheat, rye, barley and oats."""
    CRUSTACEANS = "CRUSTACEANS"
    """Crustaceans, such as shrimps and crabs."""
    EGGS = "EGGS"
    """Eggs of hens and other birds."""
    FISH = "FISH"
    """Fish, and gelatin made of it."""
    PEANUTS = "PEANUTS"
    """Peanuts, and oil made of them."""
    SOY = "SOY"
    """Soybeans, and what is made of them."""
    MILK = "MILK"
    """Milk, and its lactose."""
    TREE_NUTS = "TREE_NUTS"
    """Nuts of trees, such as almonds and walnuts."""
    CELERY = "CELERY"
    """Celery, stalks and roots."""
    MUSTARD = "MUSTARD"
    """Mustard, seeds and paste."""
    SESAME = "SESAME"
    """Sesame seeds, and oil made of them."""
    SULFITES = "SULFITES"
    """Sulfur dioxide and sulfites, above 10 mg in a kilogram."""
    LUPIN = "LUPIN"
    """Seeds of lupins, and flour made of them."""
    MOLLUSKS = "MOLLUSKS"
    """Mollusks, such as mussels and squid."""


class IntakeTimeslot(StrEnum):
    """Time of day, or occasion, at which a product is taken."""

    AM_WITH_FOOD = "AM_WITH_FOOD"
    """In the morning, with food."""
    AM_BEFORE_FOOD = "AM_BEFORE_FOOD"
    """In the morning, before food."""
    WITH_BREAKFAST = "WITH_BREAKFAST"
    """In the morning, together with breakfast."""
    LUNCH = "LUNCH"
    """At midday, together with lunch."""
    CUSTOM = "CUSTOM"
    """At a time of day that the person chose."""
    MIDDAY = "MIDDAY"
    """Around the middle of the day."""
    PM_AFTER_FOOD = "PM_AFTER_FOOD"
    """In the evening, after food."""
    WITH_FOOD = "WITH_FOOD"
    """With any meal of the day."""
    BEDTIME = "BEDTIME"
    """In the evening, before going to sleep."""
    PRE_WORKOUT = "PRE_WORKOUT"
    """Before training, whenever that is."""
    UNSPECIFIED = "UNSPECIFIED"
    """No time that was understood from the label."""
    ON_DECK = "ON_DECK"
    """Planned, but not taken yet."""
    OFF_CYCLE = "OFF_CYCLE"
    """Paused on purpose, between two cycles of intake."""


class BundleLinkKind(StrEnum):
    """Kind of thing that a bundle link leads to."""

    GOAL = "GOAL"
    """A health goal, which products are bundled by."""


class MatchMethod(StrEnum):
    """Method by which a match was found; the catalog itself uses KEYWORDS alone."""

    RULES = "RULES"
    """Match found by handwritten rules."""
    KEYWORDS = "KEYWORDS"
    """Match found by words in common."""
    ML = "ML"
    """Match found by a machine-learning model."""
    HYBRID = "HYBRID"
    """Match found by several of these methods."""


class AvailabilityStatus(StrEnum):
    """Public availability of a product or variant."""

    IN_STOCK = "IN_STOCK"
    """More than five are left to buy."""
    LOW_STOCK = "LOW_STOCK"
    """Five or fewer are left; `remaining` has the number."""
    OUT_OF_STOCK = "OUT_OF_STOCK"
    """None is left, and no delivery is announced."""
    BACKORDERED = "BACKORDERED"
    """None is left, but more is expected at `restockAt`."""
    DISCONTINUED = "DISCONTINUED"
    """Product or variant is no longer sold."""


class DataQuality(StrEnum):
    """Data quality of an imported product."""

    OK = "OK"
    """All fields are present and were understood."""
    WARN = "WARN"
    """Product can be sold, although a field is missing or was not understood; `issues` lists them."""
    ERROR = "ERROR"
    """Product cannot be published, because a required field is missing or unreadable; `issues` lists them."""


class ProductSort(StrEnum):
    """Sort order of found products; ties are ordered by id."""

    RELEVANCE = "RELEVANCE"
    """Best match to the query first; in a fixed order without one."""
    PRICE_ASC = "PRICE_ASC"
    """Lowest price of a variant first."""
    PRICE_DESC = "PRICE_DESC"
    """Highest of the products' lowest prices first."""
    NAME = "NAME"
    """Alphabetical order of product names."""
    NEWEST = "NEWEST"
    """Most recently added product first."""
    RATING = "RATING"
    """Highest average rating first."""
    TOP_SELLING = "TOP_SELLING"
    """Most units sold first, as counted every 15 minutes."""


class ReviewSort(StrEnum):
    """Sort order of reviews; ties are ordered by id."""

    NEWEST = "NEWEST"
    """Most recently submitted review first."""
    RATING_DESC = "RATING_DESC"
    """Review with most stars first."""
    RATING_ASC = "RATING_ASC"
    """Review with fewest stars first."""


class ReviewStatus(StrEnum):
    """Moderation status of a review."""

    PENDING = "PENDING"
    """Review waits for a moderator; only the author and moderators see it."""
    PUBLISHED = "PUBLISHED"
    """Review is shown to everybody and counts in the rating; a later edit makes it PENDING again."""
    REJECTED = "REJECTED"
    """Review was turned down by a moderator; only the author and moderators see it. An edit makes it PENDING
    again."""


class ReviewDecision(StrEnum):
    """Decision of a moderator on a review."""

    PUBLISH = "PUBLISH"
    """Show the review to everybody and count it in the rating."""
    REJECT = "REJECT"
    """Hide the review from everybody but the author."""


class StockReason(StrEnum):
    """Reason of a manual stock change."""

    RECEIVE = "RECEIVE"
    """Goods came in from a supplier."""
    CORRECTION = "CORRECTION"
    """Stock was counted again and differed."""
    DAMAGE = "DAMAGE"
    """Goods were damaged or spoiled."""


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
    """Scanned a barcode; kept without who did."""
    SCAN_UNMATCHED = "SCAN_UNMATCHED"
    """Scanned a barcode that nobody knows, or submitted it; kept without who did."""
    STACK_ADD = "STACK_ADD"
    """Put a scanned product into a stack; kept without who did."""
    REORDER = "REORDER"
    """Asked for an order again."""
    REORDER_REPOPULATED = "REORDER_REPOPULATED"
    """Saw the lines of a reorder in the cart."""
    REORDER_FAILED = "REORDER_FAILED"
    """Saw that a reorder came to nothing."""
    ADJUSTMENTS_SHOWN = "ADJUSTMENTS_SHOWN"
    """Saw the adjustments of a reorder."""
    FAVORITE_TOGGLE = "FAVORITE_TOGGLE"
    """Marked or unmarked a favorite."""
