"""Planted faults of notifications."""

from tests.mutation.fault import Fault

REACHING = "resolvers/notification/reaching.py"
REACHES = ("tests/notification/test_reaching.py",)
INBOX = ("tests/notification/test_inbox.py",)
DELIVERS = ("tests/notification/test_delivering.py",)
REPLIES = ("tests/notification/test_replying.py",)

FAULTS = [
    Fault(
        "people are texted who never agreed",
        REACHING,
        "if channel in CALLED and consent != ConsentStatus.GRANTED:",
        "if channel in CALLED and consent == ConsentStatus.REVOKED:",
        REACHES,
    ),
    Fault(
        "Do Not Call does not hold",
        REACHING,
        'if channel in CALLED and recipient["do_not_call"]:',
        'if channel not in CALLED and recipient["do_not_call"]:',
        REACHES,
    ),
    Fault(
        "quiet hours go on at their end",
        REACHING,
        "clock >= begins or clock < ends",
        "clock >= begins or clock <= ends",
        REACHES,
    ),
    Fault(
        "a message is sent although it expires in quiet hours",
        REACHING,
        "if at >= message.expires_at:",
        "if at > message.expires_at:",
        REACHES,
    ),
    Fault(
        "consent to a number holds for the next one",
        REACHING,
        'if recipient.get("phone_index") == phone_index:',
        'if recipient.get("phone_index"):',
        REPLIES,
    ),
    Fault(
        "a second call tells people twice",
        "resolvers/notification/notifying.py",
        "[each for each in user_ids if each not in told]",
        "list(user_ids)",
        INBOX,
    ),
    Fault(
        "a key is good for ever",
        "resolvers/notification/notifying.py",
        'if known is not None and known["expires_at"] > ctx.tx.now:',
        "if known is not None:",
        INBOX,
    ),
    Fault(
        "others acknowledge for a person",
        "resolvers/notification/acknowledging.py",
        'if others is not None and others["user_id"] != ctx.viewer_id:',
        "if others is None:",
        INBOX,
    ),
    Fault(
        "a later acknowledgment takes the place of the first",
        "resolvers/notification/acknowledging.py",
        '    if receipt["acknowledgment"] is not None:\n        return receipt\n',
        "",
        INBOX,
    ),
    Fault(
        "an acknowledgment comes from the future",
        "resolvers/notification/acknowledging.py",
        "min(acknowledged_at or ctx.tx.now, ctx.tx.now)",
        "acknowledged_at or ctx.tx.now",
        INBOX,
    ),
    Fault(
        "a late event moves a delivery back",
        "resolvers/notification/delivering.py",
        'where={"status": {"$in": before}}',
        "where={}",
        DELIVERS,
    ),
    Fault(
        "what was sent is sent again",
        "resolvers/notification/delivering.py",
        'or delivery["status"] != DeliveryStatus.QUEUED:',
        'or delivery["status"] == DeliveryStatus.OPENED:',
        DELIVERS,
    ),
    Fault(
        "no channel steps in for one that failed",
        "resolvers/notification/delivering.py",
        "        if other is not None:",
        "        if other is None:",
        DELIVERS,
    ),
    Fault(
        "a receipt falls back from opened",
        "resolvers/notification/delivering.py",
        'where = {"opened_at": None, "status": {"$ne": status}}',
        'where = {"status": {"$ne": status}}',
        DELIVERS,
    ),
    Fault(
        "an opt-out leaves queued texts alone",
        "resolvers/notification/replying.py",
        "    for delivery in await store.deliveries.find(ctx.db, queued):",
        "    for delivery in ():",
        REPLIES,
    ),
    Fault(
        "every stop is confirmed",
        "resolvers/notification/replying.py",
        "return None if revoked else await _stop(ctx, recipient, said)",
        "return await _stop(ctx, recipient, said)",
        REPLIES,
    ),
    Fault(
        "a scanner of mails acknowledges",
        "routes/notification.py",
        "    await _linked(services, request)\n    title, label",
        '    await links.follow(services, await _linked(services, request), request.match_info["action"])\n    title, label',
        ("tests/notification/test_links.py",),
    ),
    Fault(
        "anybody makes a link",
        "resolvers/notification/links.py",
        "if not hmac.compare_digest(expected.encode(), signature.encode()):",
        "if len(expected) != len(signature):",
        ("tests/notification/test_links.py",),
    ),
]
