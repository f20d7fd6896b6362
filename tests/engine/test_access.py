"""Roles and fresh proofs, declared on a field or mutation of any system."""

from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from core import clock, discovery
from core.context import Context, Services, Viewer
from core.graphql import input_, mutation, query, type_
from core.graphql.build import Schema, build
from core.graphql.common import MutationInput, Payload
from core.ids import new_id
from tests.phone import key

OPENED: list[str] = []
DO = """mutation($input: OpenVaultInput!) {
  openVault(input: $input) { opened replayed errors { code retryable } } }"""


async def plans(ctx: Context) -> str:
    return "secret"


async def open_vault(ctx: Context) -> dict[str, Any]:
    OPENED.append(ctx.viewer_id)
    return {"opened": True}


@input_
class OpenVaultInput(MutationInput):
    """Which vault."""


@type_
class OpenVaultPayload(Payload):
    """The vault."""

    opened: bool | None
    """True if it is open."""


class Query:
    plans: str | None = query(plans, roles=("AUDITOR", "ADMIN"))
    """The plans."""


class Mutation:
    open_vault = mutation(open_vault, OpenVaultInput, OpenVaultPayload, roles=("ADMIN",), fresh=True)
    """Open the vault."""


@pytest.fixture(scope="module")
def schema() -> Schema:
    room = ModuleType("vaults")
    room.Query, room.Mutation = Query, Mutation  # type: ignore[attr-defined]
    room.OpenVaultPayload = OpenVaultPayload  # type: ignore[attr-defined]
    return build([*discovery.all_systems()["schema"], room])


@pytest.fixture
def viewer() -> Viewer:
    roles = frozenset({"MEMBER", "ADMIN"})
    return Viewer(
        new_id("user"), new_id("session"), new_id("device"), roles, authenticated_at=clock.timestamp()
    )


async def opened(schema: Schema, services: Services, viewer: Viewer, once: str) -> Any:
    answer = await schema.execute(
        DO, {"input": {"idempotencyKey": once}}, context_value=Context(services, viewer=viewer)
    )
    assert answer.errors is None
    assert answer.data
    return answer.data["openVault"]


def error(code: str) -> list[dict[str, Any]]:
    return [{"code": code, "retryable": code == "STEP_UP_REQUIRED"}]


def test_what_a_field_needs_is_in_the_sdl(schema: Schema) -> None:
    sdl = schema.as_str()
    staff = '@area(name: "common") @tag(name: "staff")'
    refuses = "@refuses(codes: [STEP_UP_REQUIRED])"
    assert f"): OpenVaultPayload @access(roles: [ADMIN], stepUp: true) {refuses} {staff}\n" in sdl
    assert f"plans: String @access(roles: [ADMIN, AUDITOR]) {staff}\n" in sdl


@pytest.mark.parametrize(
    ("roles", "code"), [(None, "UNAUTHENTICATED"), (["MEMBER"], "FORBIDDEN"), (["AUDITOR"], None)]
)
async def test_a_field_is_for_its_roles(
    schema: Schema, services: Services, viewer: Viewer, roles: list[str] | None, code: str | None
) -> None:
    who = None if roles is None else Viewer(viewer.user_id, "", "", frozenset(roles))
    answer = await schema.execute("{ plans }", context_value=Context(services, viewer=who))
    assert answer.data == {"plans": None if code else "secret"}
    codes = [each.original_error.code for each in answer.errors or ()]  # type: ignore[union-attr]
    assert codes == ([code] if code else [])


async def test_another_role_is_forbidden_and_nothing_is_done(
    schema: Schema, services: Services, viewer: Viewer
) -> None:
    member = Viewer(viewer.user_id, "", "", frozenset({"MEMBER"}), authenticated_at=clock.timestamp())
    refused = await opened(schema, services, member, key())
    assert refused == {"opened": None, "replayed": False, "errors": error("FORBIDDEN")}
    assert viewer.user_id not in OPENED


async def test_an_old_proof_asks_for_step_up_and_leaves_no_receipt(
    schema: Schema, services: Services, viewer: Viewer
) -> None:
    once = key()
    clock.shift(timedelta(minutes=10, seconds=1))
    refused = await opened(schema, services, viewer, once)
    assert refused == {"opened": None, "replayed": False, "errors": error("STEP_UP_REQUIRED")}
    assert viewer.user_id not in OPENED
    fresh = Viewer(
        viewer.user_id,
        viewer.session_id,
        viewer.device_id,
        viewer.roles,
        authenticated_at=clock.timestamp(),
    )
    assert await opened(schema, services, fresh, once) == {"opened": True, "replayed": False, "errors": []}


async def test_a_lost_answer_is_told_after_the_proof_is_old(
    schema: Schema, services: Services, viewer: Viewer
) -> None:
    once = key()
    assert (await opened(schema, services, viewer, once))["opened"] is True
    clock.shift(timedelta(minutes=20))
    again = await opened(schema, services, viewer, once)
    assert again == {"opened": True, "replayed": True, "errors": []}
    assert OPENED.count(viewer.user_id) == 1
