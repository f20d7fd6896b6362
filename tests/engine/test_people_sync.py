"""People one follows and chats with are part of what one syncs: names, pictures and counters."""

from typing import Any

import pytest

from core.ids import sibling
from stores.auth import Role
from tests.conftest import NewPhone
from tests.engine.steps import befriend, post
from tests.engine.test_delta import Device, device_of
from tests.phone import Phone

READ = "query($id: ID!) { user(id: $id) { version updatedAt } }"


async def named(phone: Phone, name: str) -> None:
    changed = await phone.do("updateProfile", "user { firstName }", firstName=name)
    assert changed["errors"] == []


async def chat_of(one: Phone, other: Phone) -> str:
    """A chat in the lists of both."""
    opened = await one.do("createChat", "chat { id }", userId=other.user_id)
    id: str = opened["chat"]["id"]
    await one.do("sendMessage", "message { id }", chatId=id, text="Hello")
    return id


def name_of(device: Device, phone: Phone) -> Any:
    node = device.nodes.get(phone.user_id)
    return node and node["firstName"]


async def test_somebody_i_follow_changes_their_name(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await ada.do("followUser", "viewer { id }", userId=grace.user_id)
    device = await device_of(ada, "USER")
    assert name_of(device, grace) == "Grace"
    await named(grace, "Gracie")
    assert await device.news() == ({grace.user_id}, set())
    assert name_of(device, grace) == "Gracie"
    # Who is followed keeps nobody for it.
    other = await device_of(grace, "USER")
    await named(ada, "Adele")
    assert await other.news() == (set(), set())


async def test_somebody_i_chat_with_changes_their_name(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    mine, theirs = await device_of(ada, "USER"), await device_of(grace, "USER")
    opened = await ada.do("createChat", "chat { id }", userId=grace.user_id)
    # Opened by one, it is not in the other's list before something is said.
    assert await mine.news() == ({grace.user_id}, set())
    assert await theirs.news() == (set(), set())
    await ada.do("sendMessage", "message { id }", chatId=opened["chat"]["id"], text="Hello")
    assert await theirs.news() == ({ada.user_id}, set())
    for phone, device, name in ((grace, mine, "Gracie"), (ada, theirs, "Adele")):
        await named(phone, name)
        assert name_of(device, phone) != name
        await device.sync()
        assert name_of(device, phone) == name


async def test_a_chat_the_other_opened_first(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await grace.do("createChat", "chat { id }", userId=ada.user_id)
    device = await device_of(ada, "USER")
    await ada.do("createChat", "chat { id }", userId=grace.user_id)
    assert await device.news() == ({grace.user_id}, set())
    await named(grace, "Gracie")
    await device.sync()
    assert name_of(device, grace) == "Gracie"


async def test_counters_of_those_i_follow_move(new_phone: NewPhone) -> None:
    ada, grace, hedy = [await new_phone(name) for name in ("Ada", "Grace", "Hedy")]
    await ada.do("followUser", "viewer { id }", userId=grace.user_id)
    device = await device_of(ada, "USER")
    await hedy.do("followUser", "viewer { id }", userId=grace.user_id)
    await post(grace)
    await device.sync()
    kept = device.nodes[grace.user_id]
    assert (kept["followerCount"], kept["postCount"]) == (2, 1)


async def test_unfollowing_takes_the_person_away_and_following_gives_them_back(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    device = await device_of(ada, "USER")
    for _ in range(2):
        await ada.do("followUser", "viewer { id }", userId=grace.user_id)
        await device.sync()
        assert name_of(device, grace) == "Grace"
        await ada.do("unfollowUser", "viewer { id }", userId=grace.user_id)
        await device.sync()
        assert set(device.nodes) == {ada.user_id}
    await named(grace, "Gracie")
    assert await device.news() == (set(), set())


async def test_who_is_unfollowed_stays_while_one_chats_with_them(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await chat_of(ada, grace)
    await ada.do("followUser", "viewer { id }", userId=grace.user_id)
    device = await device_of(ada, "USER")
    await ada.do("unfollowUser", "viewer { id }", userId=grace.user_id)
    await device.sync()
    assert name_of(device, grace) == "Grace"
    await named(grace, "Gracie")
    await device.sync()
    assert name_of(device, grace) == "Gracie"


@pytest.mark.parametrize("blocker", ["Ada", "Grace"])
async def test_a_block_takes_both_away_and_unblocking_gives_chat_partners_back(
    new_phone: NewPhone, blocker: str
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)
    await chat_of(ada, grace)
    mine, theirs = await device_of(ada, "USER"), await device_of(grace, "USER")
    one, other = (ada, grace) if blocker == "Ada" else (grace, ada)
    for _ in range(2):
        await one.do("blockUser", "removedUserId", userId=other.user_id)
        for device in (mine, theirs):
            await device.sync()
            assert set(device.nodes) == {device.phone.user_id}
        # Nothing of what the other does is told, not even that there was something.
        await named(grace, "Grace")
        await named(grace, "Gracie")
        assert await mine.news() == (set(), set())
        await one.do("unblockUser", "viewer { id }", userId=other.user_id)
        for device in (mine, theirs):
            await device.sync()
            assert set(device.nodes) == {ada.user_id, grace.user_id}
        assert name_of(mine, grace) == "Gracie"


async def test_two_blocks_and_one_lifted(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await chat_of(ada, grace)
    device = await device_of(ada, "USER")
    await ada.do("blockUser", "removedUserId", userId=grace.user_id)
    await grace.do("blockUser", "removedUserId", userId=ada.user_id)
    await ada.do("unblockUser", "viewer { id }", userId=grace.user_id)
    await device.sync()
    assert set(device.nodes) == {ada.user_id}
    await grace.do("unblockUser", "viewer { id }", userId=ada.user_id)
    await device.sync()
    assert set(device.nodes) == {ada.user_id, grace.user_id}


async def test_a_closed_account_leaves_and_comes_back(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    admin = await new_phone("Admin", roles=[Role.MEMBER, Role.ADMIN])
    await ada.do("followUser", "viewer { id }", userId=grace.user_id)
    device = await device_of(ada, "USER")
    for name, left in (("suspendUser", {ada.user_id}), ("unsuspendUser", {ada.user_id, grace.user_id})):
        done = await admin.do(name, "account { id }", userId=grace.user_id, reason="Test")
        assert done["errors"] == []
        await device.sync()
        assert set(device.nodes) == left


async def test_muting_somebody_shows_on_them(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await ada.do("followUser", "viewer { id }", userId=grace.user_id)
    device, theirs = await device_of(ada, "USER"), await device_of(grace)
    for name in ("muteUser", "unmuteUser"):
        await ada.do(name, "viewer { id }", userId=grace.user_id)
        # Its `viewerFollowStatus` is another.
        assert await device.news() == ({grace.user_id}, set())
        assert await theirs.news() == (set(), set())


async def test_what_is_private_moves_nothing_that_others_read(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await ada.do("followUser", "viewer { id }", userId=grace.user_id)
    device, own = await device_of(ada), await device_of(grace)
    before = await ada.run(READ, id=grace.user_id)
    account = sibling(grace.user_id, "account")
    mine = own.nodes[account]
    changed = await grace.do(
        "updateAccount", "account { version }", locale="de", expectedVersion=mine["version"]
    )
    assert changed["errors"] == []
    assert changed["account"]["version"] == mine["version"] + 1
    await grace.do("setFollowListsHidden", "account { id }", hidden=True)
    assert await ada.run(READ, id=grace.user_id) == before
    assert await device.news() == (set(), set())
    # One's own devices learn of it, and edit by it.
    assert await own.news() == ({account}, set())
    assert own.nodes[account]["version"] == mine["version"] + 2
    await named(grace, "Gracie")
    assert await device.news() == ({grace.user_id}, set())
    assert await own.news() == ({grace.user_id}, set())
    after = await ada.run(READ, id=grace.user_id)
    assert after["user"]["version"] == before["user"]["version"] + 1
    assert after["user"]["updatedAt"] > before["user"]["updatedAt"]
