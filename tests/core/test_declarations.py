"""Types derived from one declaration: mutations from their resolver, connections from their node."""

import enum
from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any, Required, TypedDict, Unpack

import pytest

from core import discovery
from core.context import Context
from core.errors import UserError
from core.graphql import Created, Deleted, Edge, Page, mutation, node, query, subscription, union
from core.graphql.build import build
from core.graphql.common import Entity
from core.graphql.mutations import Declaration
from core.ids import Id


class BuoyDocument(TypedDict):
    _id: str


class Rigged(TypedDict):
    buoy: BuoyDocument


class Answer(TypedDict):
    buoy: BuoyDocument
    buoy_edge: dict[str, Any]


async def create(
    ctx: Context,
    *,
    id: Id | None = None,
    name: str,
    tag_ids: Sequence[Id] = (),
    lit: bool = False,
    expected_version: int | None = None,
) -> Answer:
    raise AssertionError


class Light(enum.StrEnum):
    """Light of a buoy."""

    STEADY = "STEADY"
    """Without a break."""


class Anchor(TypedDict, total=False):
    """Ground tackle of a buoy."""

    weight: Required[int]
    """Kilograms."""
    chain: float | None
    """Metres."""


class Place(TypedDict, total=False):
    """Place of a buoy."""

    depth: float
    """Metres of water."""
    chart: str | None
    """Number of the chart."""


class Rig(TypedDict, total=False):
    name: str
    light: Light | None
    anchors: list[Anchor] | None
    place: Place


async def rig(
    ctx: Context, *, buoy_id: Id, expected_version: int | None = None, **changes: Unpack[Rig]
) -> Rigged:
    raise AssertionError


async def tides(ctx: Context, *, after: str | None = None) -> AsyncGenerator[dict[str, Any], None]:
    yield {}


async def buoys(ctx: Context, *, args: Any) -> dict[str, Any]:
    raise AssertionError


@node("buoy")
class Buoy(Entity):
    """A float that marks a channel."""

    name: str
    """Name on the chart."""


Tide = Annotated[Created[Buoy] | Deleted[Buoy], union("Tide", "What happens at sea.")]


class Harbour:
    """A system's schema module, as discovery gives it."""

    __name__ = __name__

    class Query:
        buoys: Page[Buoy] = query(buoys)
        """Buoys of the harbour."""

    class Subscription:
        tides: Tide = subscription(tides)
        """Changes at sea."""

    class Mutation:
        create_buoy = mutation(
            create,
            returns={"buoy": Buoy, "buoy_edge": Edge[Buoy]},
            name="At most 100 characters.",
            tag_ids="Tags, at most 20.",
            lit="Whether it shows at night.",
        )
        """Lay a buoy."""
        rig_buoy = mutation(
            rig,
            returns={"buoy": Buoy},
            name="At most 100 characters.",
            light="How it shines.",
            anchors="What holds it.",
            place="Where it lies.",
        )
        """Change what is given."""


INPUT = {
    "idempotencyKey": ("ID!", None),
    "id": (
        "ID",
        "Id of the new buoy, minted by the app so that queued mutations can name it; minted by the server "
        "when left out.",
    ),
    "name": ("String!", "At most 100 characters."),
    "tagIds": ("[ID!]!", "Tags, at most 20."),
    "lit": ("Boolean!", "Whether it shows at night."),
    "expectedVersion": (
        "Int",
        "Version of the buoy that was edited: CONFLICT if there is a newer one. "
        "The last writer wins when left out.",
    ),
}


def test_input_payload_edge_and_page_are_derived() -> None:
    schema = build([*discovery.all_systems()["schema"], Harbour])  # type: ignore[list-item]
    types: dict[str, Any] = schema._schema.type_map
    taken = types["CreateBuoyInput"]
    assert taken.description == "Input of `createBuoy`."
    found = {name: (str(each.type), each.description) for name, each in taken.fields.items()}
    assert list(found) == list(INPUT)
    assert {**found, "idempotencyKey": ("ID!", None)} == INPUT
    assert (taken.fields["tagIds"].default_value, taken.fields["lit"].default_value) == ([], False)
    answered = types["CreateBuoyPayload"].fields
    assert {name: str(each.type) for name, each in answered.items()} == {
        "idempotencyKey": "ID!",
        "errors": "[UserError!]!",
        "replayed": "Boolean!",
        "buoy": "Buoy",
        "buoyEdge": "BuoyEdge",
    }
    edges = types["BuoyConnection"].fields["edges"]
    assert (str(edges.type), edges.description) == ("[BuoyEdge!]!", "The buoys of this page.")
    assert [str(each) for each in types["Tide"].types] == ["BuoyCreated", "BuoyDeleted"]
    assert str(types["BuoyCreated"].fields["buoyEdge"].type) == "BuoyEdge!"
    assert str(types["BuoyDeleted"].fields["deletedBuoyId"].type) == "ID!"


def test_changes_and_enums_are_derived_from_the_typed_dict_of_the_resolver() -> None:
    schema = build([*discovery.all_systems()["schema"], Harbour])  # type: ignore[list-item]
    types: dict[str, Any] = schema._schema.type_map
    found = {name: str(each.type) for name, each in types["RigBuoyInput"].fields.items()}
    expected = {"buoyId": "ID!", "name": "String", "light": "Light", "anchors": "[AnchorInput!]"}
    rest = {"place": "PlaceInput", "expectedVersion": "Int"}
    assert list(found.items()) == [("idempotencyKey", "ID!"), *expected.items(), *rest.items()]
    anchor = {name: (str(each.type), each.description) for name, each in types["AnchorInput"].fields.items()}
    assert anchor == {"weight": ("Int!", "Kilograms."), "chain": ("Float", "Metres.")}
    assert types["AnchorInput"].description == "Ground tackle of a buoy."
    light = types["Light"]
    assert (light.description, light.values["STEADY"].description) == ("Light of a buoy.", "Without a break.")


def test_the_description_of_a_change_says_what_null_does() -> None:
    schema = build([*discovery.all_systems()["schema"], Harbour])  # type: ignore[list-item]
    types: dict[str, Any] = schema._schema.type_map
    told = {name: each.description for name, each in types["RigBuoyInput"].fields.items()}
    assert told["name"] == "At most 100 characters. Left out: unchanged."
    assert told["light"] == "How it shines. Left out: unchanged; null: cleared."
    place = {name: (str(each.type), each.description) for name, each in types["PlaceInput"].fields.items()}
    assert place == {
        "depth": ("Float", "Metres of water. Left out: unchanged."),
        "chart": ("String", "Number of the chart."),
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, None),
        ({"light": None, "anchors": None, "place": {"chart": None}}, None),
        ({"name": None}, ["name"]),
        ({"place": None}, ["place"]),
        ({"name": "Light", "place": {"depth": None}}, ["place", "depth"]),
    ],
)
async def test_null_is_refused_for_what_cannot_be_empty(
    given: dict[str, Any], field: list[str] | None
) -> None:
    async def rig(ctx: Context, *, buoy_id: Id, **changes: Unpack[Rig]) -> dict[str, Any]:
        return {"buoy": changes}

    described = {"name": "Name.", "light": "Light.", "anchors": "Anchors.", "place": "Place."}
    mutation = named(rig, returns={"buoy": Buoy}, buoy_id="Buoy.", **described).mutation
    assert mutation.refuses == {"REQUIRED"}
    if field is None:
        assert await mutation.resolver(None, buoy_id="buoy_1", **given) == {"buoy": given}
    else:
        with pytest.raises(UserError) as refused:
            await mutation.resolver(None, buoy_id="buoy_1", **given)
        assert (refused.value.code, refused.value.field) == ("REQUIRED", field)


def named(resolver: Any, **declared: Any) -> Any:
    made = mutation(resolver, **declared)
    assert isinstance(made, Declaration)
    return made.named("lay_buoy").binding


def test_a_mutation_is_named_by_its_field_wherever_its_resolver_lies() -> None:
    async def lay(ctx: Context) -> dict[str, Any]:
        return {}

    assert named(lay, returns={}).mutation.name == "layBuoy"


def test_a_payload_that_is_not_what_its_resolver_answers_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"LayBuoyPayload has \['bouy'\], its resolver answers"):
        named(create, returns={"bouy": Buoy}, name="Name.", tag_ids="Tags.", lit="Lit.")


async def test_a_misspelt_payload_key_is_an_error_not_null() -> None:
    async def lay(ctx: Context) -> dict[str, Any]:
        return {"bouy": {}, "errors": []}

    with pytest.raises(TypeError, match=r"LayBuoyPayload has no \['bouy'\]"):
        await named(lay, returns={"buoy": Buoy}).mutation.resolver(None)


def test_an_input_without_a_description_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"'name' of LayBuoyInput has no description"):
        named(create, returns={"buoy": Buoy, "buoy_edge": Edge[Buoy]}, tag_ids="Tags.", lit="Lit.")


def test_a_description_of_what_nobody_takes_is_an_error() -> None:
    async def lay(ctx: Context) -> dict[str, Any]:
        return {}

    with pytest.raises(TypeError, match=r"what its resolver does not take: \['name'\]"):
        named(lay, returns={}, name="Name.")


def test_what_clients_may_leave_out_has_a_default() -> None:
    async def lay(ctx: Context, *, text: str | None) -> dict[str, Any]:
        return {}

    with pytest.raises(TypeError, match=r"lay_buoy: text may be left out, but the resolver has no default"):
        named(lay, returns={}, text="Text.")
