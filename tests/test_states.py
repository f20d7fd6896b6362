"""Documents' states: the drawn tables are current, and the unit of work keeps to them."""

import pytest

from core.context import Services
from core.errors import UserError
from core.storage.moves import Moves
from core.storage.store import COLLECTIONS, Collection
from core.storage.unit import Unit
from stores.catalog.kinds import ReservationState
from tests import state_diagrams


def test_the_page_of_states_is_current() -> None:
    assert state_diagrams.PAGE.read_text() == state_diagrams.page(), "Run `make schema`, and read the diff."


def test_a_table_names_every_state_of_its_field() -> None:
    tables = [declared for declared in COLLECTIONS.values() if declared.moves is not None]
    assert len(tables) >= 10
    for declared in tables:
        assert declared.moves is not None
        states = type(next(iter(declared.moves.table)))
        assert set(declared.moves.table) == set(states), declared.name


def test_a_table_with_an_unknown_state_is_refused() -> None:
    with pytest.raises(ValueError, match="No row of the table begins with"):
        Moves({ReservationState.HELD: {ReservationState.COMMITTED}})


class TestWrites:
    """Writes through the unit of work."""

    @pytest.fixture
    def held(self, services: Services) -> Collection[dict[str, object]]:
        table = dict.fromkeys(ReservationState, ())
        table |= {ReservationState.HELD: {ReservationState.COMMITTED}}  # type: ignore[dict-item]
        return Collection("tested_moves", dict, "tested", moves=Moves(table, field="state"))

    async def test_two_moves_of_one_state_never_both_succeed(
        self, services: Services, held: Collection[dict[str, object]]
    ) -> None:
        tx = Unit(services.db)
        row = await tx.insert(held, {"_id": "tested_1", "state": ReservationState.HELD})
        moved = await tx.edit(held, row, {"state": ReservationState.COMMITTED})
        assert moved["state"] == ReservationState.COMMITTED
        with pytest.raises(UserError) as refused:
            await tx.edit(held, row, {"state": ReservationState.RELEASED})
        assert (refused.value.code, refused.value.field) == ("WRONG_STATUS", ["state"])
        assert refused.value.entities["tested"]["state"] == ReservationState.COMMITTED
        await held.delete_all(services.db, {"_id": "tested_1"})

    async def test_a_write_that_contradicts_the_table_is_a_bug(
        self, services: Services, held: Collection[dict[str, object]]
    ) -> None:
        change, where = {"state": ReservationState.EXPIRED}, {"state": ReservationState.HELD}
        with pytest.raises(ValueError, match="nothing becomes EXPIRED"):
            await Unit(services.db).update(held, "tested_1", set=change, where=where)
