"""Cost of subscription events: the objects they serve; what subscribers share is charged once."""

from contextlib import AsyncExitStack
from datetime import timedelta

from core import clock
from core.context import Services
from tests.conftest import NewPhone
from tests.feed.steps import comment, insert_posts, publish
from tests.phone import Failed, Phone, make_user, sign_in_directly
from tests.server.conftest import Configured

BUDGET = 2_000
WATCH = """subscription($id: ID!, $after: String) { postEvents(postId: $id, after: $after) {
  ... on Event { eventId }
  ... on CommentCreated { commentEdge { node { id author { posts(first: 40) {
    edges { node { id author { name } reactionSummary { count } } } } } } } }
} }"""
CHEAP = """subscription($id: ID!, $after: String) { postEvents(postId: $id, after: $after) {
  ... on CommentCreated { commentEdge { node { id } } } } }"""
POSTS = 40
SERVED = 5 + 4 * POSTS
"""Objects in each event."""


async def test_each_event_is_charged_until_the_budget_is_used_up(
    configured: Configured, new_phone: NewPhone, services: Services
) -> None:
    """Whoever had opened them cheaply was served by all of them at every act of others."""
    grace = await new_phone("Grace")
    post = await publish(grace)
    await insert_posts(services, grace.user_id, [None] * POSTS)
    async with configured(cost_per_minute=BUDGET) as ada:
        await sign_in_directly(services, ada, await make_user(services, "Ada"))
        seen, refusal, last = [], None, None
        async with ada.watch(WATCH, id=post) as stream:
            for number in range(BUDGET // SERVED * 3):
                said = await comment(grace, post, f"{number}")
                try:
                    while (event := (await stream.next())["postEvents"]).get("commentEdge") is None:
                        continue
                except Failed as failed:
                    refusal = failed.errors[0]["extensions"]
                    break
                assert event["commentEdge"]["node"]["id"] == said
                seen.append(said)
                last = event["eventId"]
        assert refusal is not None
        assert (refusal["code"], refusal["retryAfterSeconds"] >= 1) == ("RATE_LIMITED", True)
        # Some comes back in the meantime, and some is taken in advance.
        assert 3 <= len(seen) <= 2 * BUDGET // SERVED
        # The person's other operations are paid from the same budget.
        refused = await ada.ask("{ viewer { feed(first: 50) { edges { node { id } } } } }")
        assert refused.code == "RATE_LIMITED"
        # Nothing is lost by it: what was not delivered comes after the wait, to who asks for less.
        clock.shift(timedelta(minutes=2))
        await sign_in_directly(services, ada, ada.user_id)
        async with ada.watch(CHEAP, id=post, after=last) as stream:
            while (event := (await stream.next())["postEvents"]).get("commentEdge") != {"node": {"id": said}}:
                continue


async def test_what_all_watchers_share_is_charged_once(
    configured: Configured, new_phone: NewPhone, services: Services
) -> None:
    """Many watch one public post from one address: it is one reading for all of them."""
    grace = await new_phone("Grace")
    post = await publish(grace)
    query = """subscription($id: ID!) { postEvents(postId: $id) {
      ... on CommentCreated { commentEdge { node { id author { name } } } } } }"""
    async with configured(cost_per_minute=BUDGET) as ada, AsyncExitStack() as open_now:
        await sign_in_directly(services, ada, await make_user(services, "Ada"))
        streams = [await open_now.enter_async_context(ada.watch(query, id=post)) for _ in range(20)]
        before = await remaining(ada)
        said = [await comment(grace, post, f"{number}") for number in range(20)]
        for stream in streams:
            found: list[str] = []
            while len(found) < len(said):
                event = (await stream.next())["postEvents"]
                found += [event["commentEdge"]["node"]["id"]] if "commentEdge" in event else []
            assert found == said
        # Each comment and its author once, or again where the viewer matters: not 800 objects.
        assert before - await remaining(ada) < 400


async def remaining(phone: Phone) -> int:
    body = {"query": "{ __typename }", "extensions": {"cost": True}}
    left: int = (await phone.post(body)).body["extensions"]["cost"]["remaining"]
    return left
