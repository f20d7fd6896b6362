"""The product catalog, as clients see it."""

from core.graphql import Edge, Page, common, connection, field, mutation, query, subscription
from core.graphql.common import URL
from core.ids import Id
from resolvers.catalog import (
    imports,
    product_settings,
    reading,
    reviewing,
    roles,
    search,
    staff,
    stock,
    telemetry,
)
from resolvers.catalog import predictions as predicting
from schema.auth import Account
from schema.catalog.events import PredictionEvent, ProductEvent
from schema.catalog.people import (
    PrivacyChoices,
    ProductPrediction,
    ProductSettings,
    Review,
    TelemetryEventInput,
)
from schema.catalog.results import ImportedRow, ProductSearchConnection
from schema.catalog.types import Category, InventoryLevel, Product, ProductVariant
from stores.auth import Role
from stores.catalog.kinds import CommerceRole
from subscriptions import catalog as live

SEARCH, BROWSE, DETAIL = 30, 60, 120
"""Seconds for which anybody may keep an answer."""


class Query:
    product: Product | None = query(reading.product, max_age=DETAIL, by="Key of the product, one of several.")
    """Product by one of its keys; null when there is none. What is no longer sold is found too."""
    products: list[Product | None] = query(reading.products, max_age=DETAIL)
    """Products in the order of the ids, null where there is none: refreshes what a phone keeps in a call."""
    search_products: ProductSearchConnection = query(
        search.search_products,
        max_age=lambda args: SEARCH if (args.get("filter") or {}).get("query") else BROWSE,
    )
    """Products on sale."""
    categories: list[Category] = query(reading.categories, max_age=BROWSE)
    """All kinds of products."""
    top_sellers: list[Product] = query(
        reading.top_sellers, max_age=BROWSE, limit="Largest number of products, 1 to 100."
    )
    """What sells best, worked out every quarter of an hour."""
    pending_reviews: Page[Review] = query(reviewing.pending_reviews, roles=(CommerceRole.CATALOG_ADMIN,))
    """Reviews that wait for a moderator, oldest first."""
    inventory_levels: Page[InventoryLevel] = query(
        stock.inventory_levels, roles=(CommerceRole.INVENTORY_ADMIN,)
    )
    """Exact stock levels of variants, by SKU."""


class Viewer:
    product_settings: Page[ProductSettings] = connection(product_settings.viewer_settings)
    """How you have products set up, changed last first."""
    predictions: list[ProductPrediction] = field(
        predicting.viewer_predictions, limit="Largest number of predictions, 1 to 100."
    )
    """How long what you take will last, what runs out first comes first."""
    privacy_choices: PrivacyChoices = field(predicting.privacy_choices)
    """What you allow."""


ACCOUNT = {"account": (Account, "Account of the person, with their `commerceRoles`; null when refused.")}


class Mutation:
    import_products = mutation(
        imports.import_products,
        roles=(CommerceRole.CATALOG_ADMIN,),
        returns={"results": (list[ImportedRow], "A result for each row, in their order.")},
        transaction=False,
        rows="At most 500; each is saved on its own, by brand, name and form.",
        publish="Whether new products without errors go on sale at once; else they are HIDDEN.",
    )
    """Save a supplier's rows, each on its own."""
    update_product = mutation(
        staff.update_product,
        "Changes to a product; what is left out stays.",
        refuses="INVALID_FORMAT REQUIRED TOO_LONG TOO_MANY",
        roles=(CommerceRole.CATALOG_ADMIN,),
        returns={"product": Product},
        takes={"product_url": URL | None},
        name="At most 200 characters.",
        description="At most 4,000 characters.",
        directions="At most 4,000 characters.",
        product_url="Its maker's page.",
        purposes="What it is taken for.",
        impacted_biomarkers="What a blood test may show of it.",
        image_ids="Pictures, at most 10.",
        label_image_id="Its label.",
    )
    """Update what is told of a product."""
    set_variant_price = mutation(
        staff.set_variant_price,
        refuses="OUT_OF_RANGE",
        roles=(CommerceRole.CATALOG_ADMIN,),
        returns={
            "product_variant": (ProductVariant, "Variant with its new price; null when refused."),
            "product": Product,
        },
        price="New price of the variant, in the currency that it has.",
        expected_version="Version of the variant that was edited: CONFLICT if there is a newer one. The last "
        "writer wins when left out.",
    )
    """Set the price of a variant."""
    set_product_status = mutation(
        staff.set_product_status,
        refuses="DATA_QUALITY_ERROR WRONG_STATUS",
        roles=(CommerceRole.CATALOG_ADMIN,),
        returns={"product": Product},
        status="HIDDEN to ACTIVE, ACTIVE to DISCONTINUED and back.",
    )
    """Set whether a product is on sale, hidden or discontinued."""
    adjust_inventory = mutation(
        stock.adjust_inventory,
        refuses="OUT_OF_RANGE STOCK_INSUFFICIENT",
        roles=(CommerceRole.INVENTORY_ADMIN,),
        returns={"inventory_level": InventoryLevel},
        delta="How many more, or fewer when negative; 0 to change the rest alone.",
        reason="Why.",
        safety_stock="How many to keep back from now on.",
        restock_at="When more is expected.",
    )
    """Adjust the stock of a variant by hand."""
    grant_commerce_role = mutation(
        roles.grant_commerce_role, returns=ACCOUNT, roles=(Role.ADMIN,), user_id="Whom.", role="Which."
    )
    """Give a person a role in the shop."""
    revoke_commerce_role = mutation(
        roles.revoke_commerce_role,
        returns=ACCOUNT,
        roles=(Role.ADMIN,),
        user_id="The person.",
        role="The role.",
    )
    """Take a role in the shop from a person."""
    submit_review = mutation(
        reviewing.submit_review,
        "Your review of a product; a second one changes the first.",
        refuses="OUT_OF_RANGE TOO_LONG",
        returns={
            "review": (Review, "The review, which a moderator sees before others do; null when refused."),
            "review_edge": (Edge[Review], "Its place among the product's reviews, newest first."),
        },
        id="The review's id, if you mint one; ignored when you have reviewed the product before.",
        rating="1 to 5 stars.",
        title="At most 120 characters.",
        body="At most 4,000 characters.",
    )
    """Review a product, or change your review."""
    delete_review = mutation(reviewing.delete_review, returns={"deleted_review_id": Id})
    """Delete your review."""
    decide_review = mutation(
        reviewing.decide_review,
        refuses="TOO_LONG",
        roles=(CommerceRole.CATALOG_ADMIN,),
        returns={
            "review": Review,
            "removed_review_id": (Id, "Id of the review that left the list of those to judge."),
        },
        decision="Show it or not.",
        reason="Why, for the record; at most 500 characters.",
    )
    """Decide whether a review is shown to everybody."""
    update_product_settings = mutation(
        product_settings.update_product_settings,
        "How to have a product set up; what is left out stays.",
        refuses="OUT_OF_RANGE PRODUCT_DISCONTINUED",
        returns={
            "product_settings": ProductSettings,
            "product_settings_edge": (
                Edge[ProductSettings],
                "Their place at the top of your product setups.",
            ),
            "product": (Product, "The product, when it is no longer sold."),
            "alternatives": (list[Product], "What to take instead, when it is no longer sold."),
        },
        expected_version="Version of the settings that were edited, 0 when there were none: CONFLICT if "
        "there is a newer one. The last writer wins when left out.",
        auto_refill="Whether to order it again by itself.",
        reorder_threshold="At how many servings left, 0 to 365.",
        low_stock_alert="Whether to be told when it runs low.",
        reminders_enabled="Whether to be reminded to take it.",
        notifications="How and when to be told.",
    )
    """Set up a product for yourself."""
    refresh_prediction = mutation(
        predicting.refresh_prediction,
        refuses="MEDICATION_MISSING PERSONALIZATION_DISABLED",
        returns={"product_prediction": ProductPrediction},
    )
    """Have it worked out anew how long a product will last you."""
    record_prediction_feedback = mutation(
        predicting.record_prediction_feedback,
        "A correction of a prediction: at least one of rate and servings.",
        refuses="OUT_OF_RANGE PERSONALIZATION_DISABLED REQUIRED TOO_LONG",
        returns={
            "product_prediction": (
                ProductPrediction,
                "Prediction as it is known now; null while there is none.",
            )
        },
        usage_rate="Servings a day, more than 0.",
        servings_per_container="How many servings a container really holds, more than 0.",
        note="At most 500 characters.",
    )
    """Record how fast you use a product, or how much is in it, to correct its prediction."""
    update_privacy_choices = mutation(
        predicting.update_privacy_choices,
        "What you allow; what is left out stays.",
        returns={"viewer": (common.Viewer, "You."), "privacy_choices": PrivacyChoices},
        personalized_predictions="Whether predictions are made for you; without, those that are kept are "
        "forgotten.",
        tracking="Whether what apps report of your use is kept.",
    )
    """Choose what you allow."""
    record_telemetry_events = mutation(
        telemetry.record_telemetry_events,
        returns={
            "accepted": (int, "New ones that were kept."),
            "dropped": (int, "Repeated, unknown, unsound or unwanted ones."),
        },
        takes={"events": list[TelemetryEventInput]},
        owner=telemetry.sender,
        receipt=False,
        events="At most 50.",
        device_id="The device, when nobody is signed in.",
    )
    """Record events that happened in an app; signed in, or with a device id."""


class Subscription:
    product_events: ProductEvent = subscription(
        live.product_events, product_ids="The products to watch, at most 50."
    )
    """News, prices and availability of products, for everybody."""
    prediction_events: PredictionEvent = subscription(live.prediction_events)
    """Signals that predictions for products of yours changed."""
