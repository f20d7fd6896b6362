"""Suggestions: from history and favorites, without what is saved, withdrawn or dismissed."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Services
from resolvers.favorite import history, suggesting
from stores import favorite as store
from tests.conftest import NewPhone
from tests.favorite.steps import Shop, add, add_all, allowed, settle
from tests.phone import Phone

SUGGESTED = """query($limit: Int! = 20) { viewer {
  favoriteSuggestions(filter: { kinds: [PRODUCT] }, limit: $limit) { target { id } reason score } } }"""


async def suggested(phone: Phone, **given: int) -> list[tuple[str, str]]:
    found = (await phone.run(SUGGESTED, **given))["viewer"]["favoriteSuggestions"]
    scores = [each["score"] for each in found]
    assert scores == sorted(scores, reverse=True)
    return [(each["target"]["id"], each["reason"]) for each in found]


@pytest.fixture
def bought(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Targets that everybody has bought, as a higher system says."""
    found: list[str] = []

    async def told(*_: object) -> list[str]:
        return found

    monkeypatch.setattr(history, "listeners", [told])
    return found


async def test_what_was_bought_comes_first_and_what_is_saved_withdrawn_or_dismissed_is_left_out(
    shop: Shop, ada: Phone, bought: list[str]
) -> None:
    saved, hidden, dismissed, wanted = await shop.products(4)
    bought += [saved, hidden, dismissed, wanted]
    await add(ada, saved)
    await shop.hide(hidden)
    done = await ada.do("dismissFavoriteSuggestion", "removedTargetId", targetId=dismissed)
    assert (done["errors"], done["removedTargetId"]) == ([], dismissed)
    found = await suggested(ada)
    assert found[0] == (wanted, "HISTORY")
    assert not {saved, hidden, dismissed} & {id for id, _ in found}
    assert len(await suggested(ada, limit=1)) == 1


async def test_without_history_best_sellers_are_suggested_and_those_like_the_favorites_before_them(
    shop: Shop, services: Services, ada: Phone, new_phone: NewPhone
) -> None:
    one, *_ = await shop.products(3)
    reasons = {reason for _, reason in await suggested(await new_phone("Grace"))}
    assert reasons == {"POPULAR"}
    await add(ada, one)
    found = await suggested(ada)
    assert found[0][1] == "SIMILAR"
    assert one not in {id for id, _ in found}


async def test_they_are_computed_anew_after_5_changes_and_daily(
    shop: Shop, services: Services, ada: Phone, bought: list[str]
) -> None:
    wanted, *others = await shop.products(6)
    key = store.key_of_suggestions(ada.user_id, store.FavoriteKindName("PRODUCT"))
    await add_all(ada, others[:4])
    await settle(services)
    assert await store.favorite_suggestions.by_id(services.db, key) is None
    await add(ada, others[4])
    await settle(services)
    kept = await store.favorite_suggestions.by_id(services.db, key)
    assert kept is not None
    bought.append(wanted)
    assert ("HISTORY") not in {reason for _, reason in await suggested(ada)}
    await suggesting.suggest_to_all(services)
    assert (await suggested(ada))[0] == (wanted, "HISTORY")


async def test_a_dismissal_holds_90_days(shop: Shop, services: Services, ada: Phone) -> None:
    product = await shop.product()
    await ada.do("dismissFavoriteSuggestion", "removedTargetId", targetId=product)
    [row] = await store.favorite_dismissals.find(services.db, {"user_id": ada.user_id})
    assert row["expires_at"] - clock.now() > timedelta(days=89, hours=23)


async def test_at_most_20_are_asked_for(ada: Phone) -> None:
    for wrong in (0, 21):
        answer = await ada.ask(SUGGESTED, limit=wrong)
        assert answer.code == "BAD_USER_INPUT"


@pytest.mark.usefixtures("hurried")
async def test_60_are_dismissed_a_minute(shop: Shop, ada: Phone) -> None:
    product = await shop.product()

    async def dismiss(_: int) -> dict[str, Any]:
        return dict(await ada.do("dismissFavoriteSuggestion", "removedTargetId", targetId=product))

    assert await allowed(dismiss, suggesting.DISMISSAL_RATE) == 60


async def test_nothing_is_computed_for_who_is_gone(services: Services, ada: Phone) -> None:
    await suggesting.suggest(services, user_id=ada.user_id, kind="PRODUCT")
    assert await store.favorite_suggestions.find(services.db, {"user_id": ada.user_id}) == []
