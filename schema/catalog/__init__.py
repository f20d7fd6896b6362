"""The product catalog, as clients see it."""

from core.binding import connection, field, mutation, query, subscription
from resolvers import catalog
from schema.catalog import people, staff
from schema.catalog.events import ProductEvent, ViewerProductEvent
from schema.catalog.people import (
    PrivacyChoices,
    ProductPrediction,
    ProductSettings,
    ProductSettingsConnection,
    Review,
    ReviewConnection,
)
from schema.catalog.search import (
    InventoryFilterInput,
    InventoryLevelConnection,
    ProductFilterInput,
    ProductSearchConnection,
)
from schema.catalog.types import Category, InventoryLevel, Product, ProductVariant
from stores.auth import Role
from stores.catalog.kinds import CommerceRole
from subscriptions import catalog as live

__all__ = [
    "Category",
    "InventoryLevel",
    "Mutation",
    "Product",
    "ProductSettings",
    "ProductVariant",
    "Query",
    "Review",
    "Subscription",
    "Viewer",
]


SEARCH, BROWSE, DETAIL = 30, 60, 120
"""Seconds for which anybody may keep an answer."""


class Query:
    product: Product | None = query(
        catalog.product, max_age=DETAIL, slug="Its name in addresses; give this or `id`."
    )
    """A product by id or slug; null when there is none. What is no longer sold is found too."""
    products: list[Product | None] = query(catalog.products, max_age=DETAIL)
    """Products in the order of the ids, null where there is none: refreshes what a phone keeps in a call."""
    search_products: ProductSearchConnection = query(
        catalog.search_products,
        page=20,
        inputs={"filter": ProductFilterInput},
        max_age=lambda asked: SEARCH if asked.get("query") else BROWSE,
        query="Words to find, 2 to 100 characters, the last one may be a beginning; left out: everything.",
        filter="Narrows the search.",
        sort="How they are ordered.",
    )
    """Products on sale."""
    categories: list[Category] = query(catalog.categories, max_age=BROWSE)
    """All kinds of products."""
    top_sellers: list[Product] = query(
        catalog.top_sellers,
        max_age=BROWSE,
        category_id="Of this category; left out: of all.",
        first="How many, 1 to 100.",
    )
    """What sells best, worked out every quarter of an hour."""
    reviews_to_judge: ReviewConnection = query(catalog.reviews_to_judge, page=20)
    """Reviews that wait for a moderator, oldest first; needs CATALOG_ADMIN."""
    inventory_levels: InventoryLevelConnection = query(
        catalog.inventory_levels,
        page=50,
        inputs={"filter": InventoryFilterInput},
        filter="Narrows the list.",
    )
    """Exact stock; needs INVENTORY_ADMIN."""


class Viewer:
    product_settings: ProductSettingsConnection = connection(catalog.viewer_settings)
    """How you have products set up, changed last first."""
    predictions: list[ProductPrediction] = field(
        catalog.viewer_predictions,
        product_ids="Of these products, at most 100; left out: of all you take.",
        first="How many, 1 to 100.",
    )
    """How long what you take will last, what runs out first comes first."""
    privacy_choices: PrivacyChoices = field(catalog.privacy_choices)
    """What you allow."""
    commerce_roles: list[CommerceRole] = field(catalog.viewer_roles)
    """What you may do in the shop beyond buying."""


class Mutation:
    import_products = mutation(
        catalog.import_products, staff.ImportProductsInput, staff.ImportProductsPayload, transaction=False
    )
    """Save a supplier's rows; needs CATALOG_ADMIN."""
    update_product = mutation(catalog.update_product, staff.UpdateProductInput, staff.UpdateProductPayload)
    """Change what is told of a product; needs CATALOG_ADMIN."""
    set_variant_price = mutation(
        catalog.set_variant_price, staff.SetVariantPriceInput, staff.SetVariantPricePayload
    )
    """Set a price; needs CATALOG_ADMIN."""
    set_product_status = mutation(
        catalog.set_product_status, staff.SetProductStatusInput, staff.SetProductStatusPayload
    )
    """Publish a product, take it off sale or back; needs CATALOG_ADMIN."""
    adjust_inventory = mutation(
        catalog.adjust_inventory, staff.AdjustInventoryInput, staff.AdjustInventoryPayload
    )
    """Change a stock by hand; needs INVENTORY_ADMIN."""
    grant_commerce_role = mutation(
        catalog.grant_commerce_role,
        staff.GrantCommerceRoleInput,
        staff.GrantCommerceRolePayload,
        roles=(Role.ADMIN,),
    )
    """Give a person a role in the shop."""
    revoke_commerce_role = mutation(
        catalog.revoke_commerce_role,
        staff.RevokeCommerceRoleInput,
        staff.RevokeCommerceRolePayload,
        roles=(Role.ADMIN,),
    )
    """Take a role in the shop from a person."""
    submit_review = mutation(catalog.submit_review, people.SubmitReviewInput, people.SubmitReviewPayload)
    """Review a product, or change your review."""
    delete_review = mutation(catalog.delete_review, people.DeleteReviewInput, people.DeleteReviewPayload)
    """Delete your review."""
    moderate_review = mutation(
        catalog.moderate_review, people.ModerateReviewInput, people.ModerateReviewPayload
    )
    """Show a review to everybody, or not; needs CATALOG_ADMIN."""
    update_product_settings = mutation(
        catalog.update_product_settings,
        people.UpdateProductSettingsInput,
        people.UpdateProductSettingsPayload,
    )
    """Set up a product for yourself."""
    refresh_prediction = mutation(
        catalog.refresh_prediction, people.RefreshPredictionInput, people.RefreshPredictionPayload
    )
    """Have it worked out anew how long a product will last you."""
    submit_prediction_feedback = mutation(
        catalog.submit_prediction_feedback,
        people.SubmitPredictionFeedbackInput,
        people.SubmitPredictionFeedbackPayload,
    )
    """Correct how fast you use a product, or how much is in it."""
    update_privacy_choices = mutation(
        catalog.update_privacy_choices,
        people.UpdatePrivacyChoicesInput,
        people.UpdatePrivacyChoicesPayload,
    )
    """Choose what you allow."""
    track_events = mutation(
        catalog.track_events,
        people.TrackEventsInput,
        people.TrackEventsPayload,
        owner=catalog.sender,
        receipt=False,
    )
    """Report what happened in an app; signed in, or with a device id."""


class Subscription:
    product_events: ProductEvent = subscription(
        live.product_events,
        product_ids="The products to watch, at most 50.",
        after="Resume after the event with this `eventId`.",
    )
    """News, prices and availability of products, for everybody."""
    viewer_product_events: ViewerProductEvent = subscription(
        live.viewer_product_events, after="Resume after the event with this `eventId`."
    )
    """What concerns you alone: settings, predictions, orders of products."""
