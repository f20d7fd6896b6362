"""Acts that change what synced nodes are made of, one after the other in one world, there and back again."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from core import clock
from core.context import Context
from resolvers.auth import sessions, telling
from resolvers.feed import links
from stores import auth as accounts
from tests.auth.authenticator import Passkey
from tests.auth.key_steps import enrol, sign_in_with
from tests.auth.steps import refresh
from tests.engine.freshness_world import World, done
from tests.feed.steps import befriend, comment
from tests.media.steps import picture, uploaded
from tests.phone import Phone

Act = Callable[[World], Awaitable[Any]]
ACTS: list[tuple[Act, frozenset[str]]] = []
"""In their order, each with the collections whose documents it changes."""


def act(*collections: str) -> Callable[[Act], Act]:
    def register(function: Act) -> Act:
        ACTS.append((function, frozenset(collections)))
        return function

    return register


# People.


@act("users")
async def grace_changes_what_is_public(w: World) -> None:
    await done(w.grace, "updateProfile", firstName="Gracie", lastName="H", handle="gracie_h", bio="Words")


@act("users")
async def grace_changes_what_is_private(w: World) -> None:
    await done(w.grace, "updateAccount", locale="de", timeZone="Europe/Berlin")


@act("users")
async def graces_account_is_changed(w: World) -> None:
    """The writes that end a flow with a code."""
    ctx = Context(w.services)
    factor = {
        "method": "SMS",
        "destination": "",
        "masked_destination": "**12",
        "backup_codes_left": 10,
        "enabled_at": clock.now(),
    }
    change = {
        "phone_masked": "**12",
        "email": "other@example.com",
        "email_verified": False,
        "two_factor": factor,
    }
    await ctx.unit(lambda: telling.change(ctx, w.grace.user_id, set=change))


@act("users")
async def grace_loses_a_backup_code_and_her_second_factor(w: World) -> None:
    ctx = Context(w.services)
    spent = {"two_factor.backup_codes_left": -1}
    await ctx.unit(lambda: telling.change(ctx, w.grace.user_id, inc=spent))
    await w.check("a code less")
    await ctx.unit(lambda: telling.change(ctx, w.grace.user_id, set={"two_factor": None}))


@act("users")
async def grace_gets_another_role(w: World) -> None:
    given = {"organization": "clinic", "jobRole": "Doctor", "reason": "Test"}
    # An administrator has all roles in the shop.
    for role in ("ADMIN", "PROVIDER"):
        await done(w.rosa, "setUserRoles", userId=w.grace.user_id, roles=[role], **given)
        renewed = await refresh(w.grace)
        w.grace.token = renewed["tokens"]["accessToken"]
        await w.check(role)


@act("users")
async def grace_hides_her_lists_and_is_locked_out(w: World) -> None:
    for hidden in (True, False):
        await done(w.grace, "setFollowListsHidden", hidden=hidden)
        await w.check(f"lists hidden: {hidden}")
    reason = {"userId": w.grace.user_id, "reason": "Test"}
    await done(w.rosa, "lockUser", lockMinutes=5, **reason)
    await w.check("locked")
    await done(w.rosa, "unlockUser", **reason)


@act("grants")
async def grace_works_in_the_shop_for_a_while(w: World) -> None:
    role = {"userId": w.grace.user_id, "role": "SUPPORT"}
    await done(w.rosa, "grantRole", **role)
    await w.check("granted")
    await done(w.rosa, "grantRole", **role, heldUntil=f"{clock.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}")
    await w.check("granted for a day")
    await done(w.rosa, "revokeRole", **role)
    await w.check("revoked")


@act("users", "media", "uploads")
async def grace_shows_a_picture(w: World) -> None:
    upload = await uploaded(w.grace, w.services, picture(seed=11), purpose="AVATAR")
    await done(w.grace, "updateProfile", avatarUploadId=upload["id"])


@act("users", "media", "uploads")
async def grace_shows_another_picture(w: World) -> None:
    upload = await uploaded(w.grace, w.services, picture(seed=12), purpose="AVATAR")
    await done(w.grace, "updateProfile", avatarUploadId=upload["id"])


@act("users")
async def grace_is_suspended_and_comes_back(w: World) -> None:
    reason = {"userId": w.grace.user_id, "reason": "Test"}
    await done(w.rosa, "suspendUser", **reason)
    await w.check("suspended", only=(w.ada, w.hedy))
    await done(w.rosa, "unsuspendUser", **reason)
    await w.signs_in_again(w.grace)


@act("users")
async def hedy_wants_to_leave_and_stays(w: World) -> None:
    ctx = Context(w.services)
    for status, due in (("DELETION_SCHEDULED", clock.now()), ("ACTIVE", None)):
        change = {"status": status, "deletion_due_at": due}
        await ctx.unit(lambda change=change: telling.change(ctx, w.hedy.user_id, set=change))  # type: ignore[misc]
        await w.check(f"hedy {status}")


@act("sessions")
async def another_device_comes_and_goes(w: World) -> None:
    other = await w.new_phone(user_id=w.ada.user_id)
    await w.check("signed in")
    selection = "tokens { refreshToken }"
    await done(other, "refreshSession", selection, refreshToken=other.refresh_token, deviceId=other.device_id)
    await w.check("refreshed")
    await done(w.ada, "revokeSession", sessionId=other.session_id)


@act("auth_keys", "sessions")
async def ada_uses_a_passkey_that_is_copied(w: World) -> None:
    key, other = Passkey(), Phone(w.ada.http, w.ada.url)
    assert (await enrol(w.ada, key))["errors"] == []
    await w.check("enrolled")
    assert (await sign_in_with(other, key))["errors"] == []
    await w.check("used")
    key.counter -= 1
    assert (await sign_in_with(other, key))["errors"] != []


@act("sessions")
async def ada_proves_again_who_she_is(w: World) -> None:
    ctx = Context(w.services)

    async def prove() -> None:
        session = await accounts.sessions.by_id(ctx.db, w.ada.session_id)
        user = await accounts.users.by_id(ctx.db, w.ada.user_id)
        assert session
        assert user
        await sessions.proven(ctx, user, session, accounts.AuthFactor.PASSKEY)

    await ctx.unit(prove)


# Follows.


@act("follows")
async def ada_mutes_grace_and_hears_her_again(w: World) -> None:
    await done(w.ada, "muteUser", userId=w.grace.user_id)
    await w.check("muted")
    await done(w.ada, "unmuteUser", userId=w.grace.user_id)
    await done(w.ada, "followUser", userId=w.grace.user_id, notify=True)


@act("follows", "users")
async def ada_and_grace_are_friends_no_more_and_again(w: World) -> None:
    await done(w.ada, "unfollowUser", userId=w.grace.user_id)
    await w.check("friends no more")
    await done(w.grace, "unfollowUser", userId=w.ada.user_id)
    await w.check("strangers")
    await befriend(w.ada, w.grace)


@act("blocks", "follows", "chat_members")
async def ada_blocks_grace_and_takes_it_back(w: World) -> None:
    await done(w.ada, "blockUser", userId=w.grace.user_id)
    await w.check("blocked")
    await done(w.grace, "updateProfile", bio="Hidden words")
    await w.check("a hidden person changes")
    await done(w.ada, "unblockUser", userId=w.grace.user_id)
    await w.check("unblocked")
    await befriend(w.ada, w.grace)


@act("blocks")
async def ada_blocks_hedy_who_commented_and_takes_it_back(w: World) -> None:
    await done(w.hedy, "blockUser", userId=w.ada.user_id)
    await w.check("blocked")
    await done(w.hedy, "unblockUser", userId=w.ada.user_id)
    await w.check("unblocked")
    await done(w.hedy, "followUser", userId=w.ada.user_id)


# Posts.


@act("posts")
async def ada_edits_and_pins_what_was_shared(w: World) -> None:
    await done(w.ada, "updatePost", postId=w.ids["public"], text="Better words " * 40, pinned=True)


@act("posts")
async def ada_narrows_and_widens_what_was_shared(w: World) -> None:
    for visibility in ("FRIENDS", "PRIVATE", "PUBLIC", "PRIVATE", "FRIENDS", "PUBLIC"):
        await done(w.ada, "updatePost", postId=w.ids["public"], visibility=visibility)
        await w.check(visibility)


@act("posts")
async def what_was_shared_is_judged_and_restored(w: World) -> None:
    await done(w.hedy, "submitReport", subjectId=w.ids["public"], reason="SPAM")
    given = {"subjectId": w.ids["public"], "reason": "Test"}
    for action, more in (("LABEL", {"label": "SENSITIVE"}), ("LIMIT", {}), ("REMOVE", {}), ("RESTORE", {})):
        await done(w.rosa, "decideModeration", **given, action=action, **more)
        await w.check(action)


@act("posts", "uploads", "media")
async def ada_shows_pictures_and_takes_them_away(w: World) -> None:
    upload = await uploaded(w.ada, w.services, picture(seed=13), purpose="POST_MEDIA")
    await done(w.ada, "updatePost", postId=w.ids["public"], uploadIds=[upload["id"]])
    await w.check("pictured")
    await done(w.ada, "updatePost", postId=w.ids["public"], uploadIds=[], text="Words")


@act("posts", "users")
async def a_link_of_adas_is_fetched(w: World) -> None:
    made = await done(w.ada, "createPost", "post { id }", linkUrl="https://example.com/", visibility="PUBLIC")
    await w.check("a link")
    ctx = Context(w.services)
    link = {
        "url": "https://example.com/",
        "title": "T",
        "description": "D",
        "site_name": "S",
        "image_id": None,
        "image_url": None,
    }
    upload = await uploaded(w.ada, w.services, picture(seed=15), purpose="POST_MEDIA")
    for change in (link, {**link, "image_id": upload["processedMedia"]["id"]}):
        await ctx.unit(lambda change=change: links._kept(ctx, made["post"]["id"], {"link": change}, {}))  # type: ignore[misc]
        await w.check("fetched")


@act("reactions", "posts", "comments")
async def people_react_and_take_it_back(w: World) -> None:
    for subject in (w.ids["public"], w.ids["grace said"]):
        for kind in ("LIKE", "LOVE", "WOW", "SAD", "ANGRY", None):
            await done(w.grace, "setReaction", subjectId=subject, kind=kind)
            await w.check(f"{kind}")


@act("posts", "comments")
async def people_comment_and_take_it_back(w: World) -> None:
    said = await comment(w.grace, w.ids["public"])
    reply = await comment(w.ada, w.ids["public"], parentId=w.ids["hedy said"])
    await w.check("commented")
    await done(w.grace, "updateComment", commentId=said, text="Better")
    await done(w.hedy, "submitReport", subjectId=said, reason="SPAM")
    for action, more in (("LABEL", {"label": "SENSITIVE"}), ("REMOVE", {}), ("RESTORE", {})):
        await done(w.rosa, "decideModeration", subjectId=said, reason="Test", action=action, **more)
        await w.check(action)
    await done(w.grace, "deleteComment", commentId=said)
    await done(w.ada, "deleteComment", commentId=reply)


@act("reports")
async def a_report_is_judged(w: World) -> None:
    await done(w.rosa, "decideModeration", subjectId=w.ids["hedy said"], reason="Test", action="DISMISS")


@act("posts", "follows")
async def a_friends_post_becomes_public_while_its_author_unfollows(w: World) -> None:
    await done(w.ada, "updatePost", postId=w.ids["friends"], visibility="PUBLIC")
    await done(w.ada, "unfollowUser", userId=w.grace.user_id)
    await w.check("public, and friends no more")
    await done(w.ada, "followUser", userId=w.grace.user_id)
    await done(w.ada, "updatePost", postId=w.ids["friends"], visibility="FRIENDS")
    await w.check("back")


@act("posts")
async def a_share_of_a_share_comes_and_goes(w: World) -> None:
    made = await done(w.grace, "sharePost", "post { id }", postId=w.ids["share"], visibility="PUBLIC")
    await w.check("shared again")
    await done(w.grace, "deletePost", postId=made["post"]["id"])


# Groups.


@act("group_members", "groups", "comments")
async def grace_leaves_the_group_and_comes_back(w: World) -> None:
    await done(w.grace, "leaveGroup", groupId=w.ids["group"])
    await w.check("left")
    await done(w.grace, "joinGroup", groupId=w.ids["group"])


@act("group_members", "groups")
async def the_owner_of_the_group_leaves(w: World) -> None:
    await done(w.ada, "leaveGroup", groupId=w.ids["group"])


# What goes for good.


@act("posts", "comments")
async def what_was_shared_and_commented_goes(w: World) -> None:
    await done(w.ada, "deletePost", postId=w.ids["public"])
    await w.check("gone")
    await done(w.ada, "deletePost", postId=w.ids["friends"])
