"""The product catalog, as clients see it."""

from core.audit import Audited
from core.graphql import Edge, Page, common, connection, field, mutation, query, subscription
from core.graphql.common import URL
from core.ids import Id
from resolvers.catalog import (
    imports,
    product_settings,
    reading,
    reviewing,
    search,
    staff,
    stock,
    telemetry,
)
from resolvers.catalog import predictions as predicting
from schema.catalog.events import PredictionEvent, ProductEvent
from schema.catalog.people import (
    PrivacyChoices,
    ProductPrediction,
    ProductSettings,
    Review,
    TelemetryEventInput,
)
from schema.catalog.results import ImportedRow, ProductSearchConnection
from schema.catalog.types import Category, Dosage, InventoryLevel, Product, ProductVariant
from stores.catalog.roles import CATALOG_ADMIN, INVENTORY_ADMIN
from subscriptions import catalog as live

__all__ = [
    "Category",
    "Dosage",
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
    product: Product | None = query(reading.product, max_age=DETAIL, by="Key of the product, one of several.")
    """Product by its id or slug; null when there is none or it is hidden from you. Discontinued products are
    found too."""
    products: list[Product | None] = query(reading.products, max_age=DETAIL)
    """Products by their ids, in the same order, to refresh an app's copies; null where there is none or it is
    hidden."""
    search_products: ProductSearchConnection = query(
        search.search_products,
        max_age=lambda args: SEARCH if (args.get("filter") or {}).get("query") else BROWSE,
    )
    """Products on sale that match the filter, or all of them; a page of a search or of browsing."""
    categories: list[Category] = query(reading.categories, max_age=BROWSE)
    """Categories of products, at most 200, ordered by slug."""
    top_sellers: list[Product] = query(
        reading.top_sellers, max_age=BROWSE, limit="Largest number of products, 1 to 100."
    )
    """Products on sale with the most units sold, best seller first, counted every 15 minutes."""
    pending_reviews: Page[Review] = query(reviewing.pending_reviews, roles=(CATALOG_ADMIN,))
    """Reviews that wait for a moderator's decision, oldest first."""
    inventory_levels: Page[InventoryLevel] = query(stock.inventory_levels, roles=(INVENTORY_ADMIN,))
    """Stock levels of variants in exact numbers, oldest first; scarcest first with `belowSafetyStock`."""


class Viewer:
    product_settings: Page[ProductSettings] = connection(product_settings.viewer_settings)
    """Settings that the viewer made for products, last changed first."""
    predictions: list[ProductPrediction] = field(
        predicting.viewer_predictions, limit="Largest number of predictions, 1 to 100."
    )
    """Run-out predictions for the products that the viewer takes, soonest to run out first; empty when they
    were refused."""
    privacy_choices: PrivacyChoices = field(predicting.privacy_choices)
    """Privacy choices of the viewer: predictions and tracking."""


class Mutation:
    import_products = mutation(
        imports.import_products,
        roles=(CATALOG_ADMIN,),
        returns={
            "results": (list[ImportedRow], "Results of the rows, in the order in which they were sent.")
        },
        transaction=False,
        rows="Rows to import, 1 to 500.",
        publish="True if new products without errors go on sale at once; otherwise they are HIDDEN.",
    )
    """Import a supplier's rows as products and variants. Each row is saved or refused on its own; a product
    that exists, by brand, name and form, is updated."""
    update_product = mutation(
        staff.update_product,
        "Changes to a product.",
        audit=Audited("catalog.product_updated", "DATA_MODIFIED", "CATALOG", resource="product_id"),
        refuses="INVALID_FORMAT TOO_LONG TOO_MANY",
        roles=(CATALOG_ADMIN,),
        returns={"product": Product},
        takes={"product_url": URL | None},
        name="Name of the product, 1 to 200 characters.",
        description="Description of the product, at most 4,000 characters.",
        directions="Directions for use, at most 4,000 characters.",
        product_url="URL of the product's page at the manufacturer, at most 2,000 characters.",
        purposes="Purposes for which the product is taken: at most 30, of 1 to 100 characters.",
        impacted_biomarkers="Biomarkers that the product may change in a blood test: at most 30, of 1 to 100 "
        "characters.",
        allergens="Allergens that the product contains; empty when it has none.",
        category_id="Id of the category to move the product to.",
        image_ids="Ids of all pictures in their order, at most 10: those shown already, or your own with the "
        "purpose PRODUCT_IMAGE.",
        label_image_id="Id of the picture of the label, shown already or your own with the purpose "
        "PRODUCT_IMAGE.",
    )
    """Update the texts, category and pictures of a product. New pictures must be your own uploads; those no
    longer shown are released."""
    set_variant_price = mutation(
        staff.set_variant_price,
        audit=Audited("catalog.price_set", "DATA_MODIFIED", "CATALOG", resource="product_variant_id"),
        refuses="OUT_OF_RANGE",
        roles=(CATALOG_ADMIN,),
        returns={
            "product_variant": ProductVariant,
            "product": Product,
        },
        price="New price of the variant, in the currency that it has.",
        expected_version="Version of the variant that was edited: CONFLICT if there is a newer one. The last "
        "writer wins when left out.",
    )
    """Set the price of a variant. Streams and searches learn it within seconds."""
    set_product_status = mutation(
        staff.set_product_status,
        audit=Audited("catalog.status_set", "DATA_MODIFIED", "CATALOG", resource="product_id"),
        refuses="DATA_QUALITY_ERROR WRONG_STATUS",
        roles=(CATALOG_ADMIN,),
        returns={"product": Product},
        status="Status that the product gets: ACTIVE from HIDDEN or DISCONTINUED, DISCONTINUED from ACTIVE.",
        expected_version="Version of the product that was edited: CONFLICT if there is a newer one. The last "
        "writer wins when left out.",
    )
    """Set the status of a product: publish a hidden one, discontinue it, or sell it again. It is never hidden
    again."""
    adjust_inventory = mutation(
        stock.adjust_inventory,
        audit=Audited("catalog.stock_adjusted", "DATA_MODIFIED", "CATALOG", resource="inventory_level_id"),
        refuses="OUT_OF_RANGE STOCK_INSUFFICIENT",
        roles=(INVENTORY_ADMIN,),
        returns={"inventory_level": InventoryLevel},
        delta="Number of units to add, or to take away when negative; 0 to change only the rest.",
        reason="Reason of the change, for the audit log.",
        safety_stock="Number of units to keep back from sale, 0 to 10,000,000.",
        restock_at="Time at which more is expected.",
        expected_version="Version of the inventory level that was edited: CONFLICT if there is a newer one. "
        "The last writer wins when left out.",
    )
    """Adjust the stock of a variant by hand, and what is kept back or expected. Availability follows within
    seconds."""
    submit_review = mutation(
        reviewing.submit_review,
        "Review to submit for a product; a second one replaces the first.",
        refuses="OUT_OF_RANGE TOO_LONG",
        returns={
            "review": (Review, "Review as stored, PENDING until a moderator decides; null when refused."),
            "review_edge": (
                Edge[Review],
                "Edge of the review among the product's, newest first; null when refused.",
            ),
        },
        id="Id of the review, if you mint one; ignored when you have reviewed the product before.",
        rating="Rating of the product in stars, 1 to 5.",
        title="Title of the review, at most 120 characters.",
        body="Text of the review, at most 4,000 characters.",
    )
    """Submit your review of a product. A second one replaces the first, and waits for a moderator again."""
    delete_review = mutation(reviewing.delete_review, returns={"deleted_review_id": Id})
    """Delete your review for good, and the rating with it."""
    decide_review = mutation(
        reviewing.decide_review,
        audit=Audited("catalog.review_decided", "DECISION_MADE", "CATALOG", resource="review_id"),
        refuses="TOO_LONG",
        roles=(CATALOG_ADMIN,),
        returns={
            "review": Review,
            "removed_review_id": (Id, "Id of the review that left `pendingReviews`; null when refused."),
        },
        decision="Decision on the review: publish or reject.",
        reason="Reason of the decision, for the audit log; at most 500 characters.",
    )
    """Decide whether a review is shown to everybody, and so counts in the rating. It can be decided anew."""
    update_product_settings = mutation(
        product_settings.update_product_settings,
        "Settings to change for a product.",
        refuses="OUT_OF_RANGE PRODUCT_DISCONTINUED",
        returns={
            "product_settings": ProductSettings,
            "product_settings_edge": (
                Edge[ProductSettings],
                "Edge of the settings at the top of `Viewer.productSettings`; null when refused.",
            ),
            "product": (Product, "Product, when refused because it is discontinued; else null."),
            "alternatives": (
                list[Product],
                "Products to take instead, when refused because the product is discontinued; else null.",
            ),
        },
        expected_version="Version of the settings that were edited, 0 when there were none: CONFLICT if "
        "there is a newer one. The last writer wins when left out.",
        auto_refill="True to order the product again automatically; refused when it is discontinued.",
        reorder_threshold="Number of servings left at which to order again, 0 to 365.",
        low_stock_alert="True to be alerted when the product runs low.",
        reminders_enabled="True to be reminded to take the product.",
        notifications="Notification channels to use, and when.",
    )
    """Update your settings for a product; the first update creates them. Null takes a setting away, so that
    what applies to all your products applies again."""
    refresh_prediction = mutation(
        predicting.refresh_prediction,
        refuses="MEDICATION_MISSING PERSONALIZATION_DISABLED",
        returns={"product_prediction": ProductPrediction},
    )
    """Refresh the run-out prediction of a product that you take."""
    record_prediction_feedback = mutation(
        predicting.record_prediction_feedback,
        "Correction of a prediction: at least one of rate and servings.",
        refuses="OUT_OF_RANGE PERSONALIZATION_DISABLED REQUIRED TOO_LONG",
        returns={
            "product_prediction": (
                ProductPrediction,
                "Prediction with the correction applied; null while there is none.",
            )
        },
        usage_rate="Servings that you take a day, 0.001 to 10,000.",
        servings_per_container="Number of servings that a container really holds, 1 to 10,000.",
        note="Note on the correction, at most 500 characters.",
    )
    """Record how fast you use a product, or how many servings it holds, to correct the prediction from now
    on."""
    update_privacy_choices = mutation(
        predicting.update_privacy_choices,
        "Privacy choices to change.",
        returns={
            "viewer": (common.Viewer, "Viewer, with `predictions` as they are now; null when refused."),
            "privacy_choices": PrivacyChoices,
        },
        personalized_predictions="True if run-out predictions are made for you; false erases those stored.",
        tracking="True if usage events that apps report about you are stored; false drops new ones.",
    )
    """Update what you allow. Refusing predictions erases the stored ones; they can be allowed again."""
    record_telemetry_events = mutation(
        telemetry.record_telemetry_events,
        returns={
            "accepted_count": (int, "Number of events that were stored."),
            "dropped_count": (
                int,
                "Number of events that were sent before, invalid or refused by your privacy choices.",
            ),
        },
        takes={"events": list[TelemetryEventInput]},
        owner=telemetry.sender,
        receipt=False,
        events="Events to record, 1 to 50.",
        device_id="Id of the device, which is required when nobody is signed in, and ignored otherwise.",
    )
    """Record usage events of an app, for 30 days: for you when signed in, else for the device id."""


class Subscription:
    product_events: ProductEvent = subscription(
        live.product_events, product_ids="Ids of the products to watch, 1 to 50."
    )
    """Events of products that are watched: news, prices and availability; open to everybody."""
    prediction_events: PredictionEvent = subscription(live.prediction_events)
    """Signals of new run-out predictions for your products."""
