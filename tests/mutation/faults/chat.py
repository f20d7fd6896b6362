"""Chats: guards, marks, sending, deleting, opening."""

from tests.mutation.fault import Fault

SENDING = ("tests/chat/test_sending.py", "tests/chat/test_editing.py")
RECEIPTS = ("tests/chat/test_receipts.py", "tests/chat/test_two_phones.py")
OPENING = ("tests/chat/test_opening.py", "tests/chat/test_chat_lists.py")

FAULTS = [
    Fault(
        "a message is shown to whoever knows its id",
        "resolvers/chat/access.py",
        'between = user_id in (message["sender_id"], message["recipient_id"])',
        "between = True",
        (*SENDING, *OPENING),
    ),
    Fault(
        "a blocked person can send",
        "resolvers/chat/access.py",
        'if chat["peer_id"] in await feed.blocked_either_way(ctx):',
        "if False:",
        ("tests/chat/test_parting.py", "tests/chat/test_moderation.py"),
    ),
    Fault(
        "read times are told though the viewer tells none",
        "resolvers/chat/access.py",
        'return [own and chosen[peer]["read_receipts"] for peer in peers]',
        'return [chosen[peer]["read_receipts"] for peer in peers]',
        RECEIPTS,
    ),
    Fault(
        "an answer may name a message of another chat",
        "resolvers/chat/sending.py",
        'if answered["chat_id"] != chat["chat_id"]:',
        "if False:",
        SENDING,
    ),
    Fault(
        "a message sent again under another key is stored twice or refused",
        "resolvers/chat/sending.py",
        "if id is not None and (known := await store.messages.by_id(ctx.db, id)):",
        "if id == '' and (known := await store.messages.by_id(ctx.db, id)):",
        SENDING,
    ),
    Fault(
        "a clock far ahead dates a message into the future",
        "resolvers/chat/sending.py",
        "sent_at if sent_at and sent_at <= now + AHEAD else now",
        "sent_at or now",
        SENDING,
    ),
    Fault(
        "a message brings no unread count",
        "resolvers/chat/sending.py",
        '"unread_count": {"$add": ["$unread_count", 1]},',
        "",
        (*SENDING, *OPENING),
    ),
    Fault(
        "anybody of the two deletes for both",
        "resolvers/chat/sending.py",
        '    if message["sender_id"] != ctx.viewer_id:\n        raise UserError("FORBIDDEN", "Only its sender may delete',
        '    if False:\n        raise UserError("FORBIDDEN", "Only its sender may delete',
        SENDING,
    ),
    Fault(
        "a deleted message stays in the other's unread count",
        "resolvers/chat/sending.py",
        '    if message["recipient_id"] not in message["hidden_for"]:\n        await _one_unread_less(ctx, message)\n',
        "",
        (*SENDING, *OPENING),
    ),
    Fault(
        "hidden and then deleted for both, a message is taken from the count twice",
        "resolvers/chat/sending.py",
        '    if message["recipient_id"] not in message["hidden_for"]:\n',
        "    if True:\n",
        SENDING,
    ),
    Fault(
        "a message can be edited for ever",
        "resolvers/chat/sending.py",
        'if clock.now() - message["created_at"] > EDITABLE:',
        "if False:",
        SENDING,
    ),
    Fault(
        "a deleted message's text stays in the database",
        "resolvers/chat/sending.py",
        '{"sealed_text": None, "attachments": [], "deleted_at": ctx.tx.now}',
        '{"attachments": [], "deleted_at": ctx.tx.now}',
        SENDING,
    ),
    Fault(
        "a late mark takes a higher one back",
        "resolvers/chat/receipts.py",
        "after = Marks(max(before.delivered, min(delivered, last)), max(before.read, min(read, last)))",
        "after = Marks(min(delivered, last), min(read, last))",
        RECEIPTS,
    ),
    Fault(
        "a mark beyond the last message counts",
        "resolvers/chat/receipts.py",
        "max(before.read, min(read, last))",
        "max(before.read, read)",
        RECEIPTS,
    ),
    Fault(
        "an alias and the real id move the same marks twice",
        "resolvers/chat/receipts.py",
        'await _advance(ctx, chats.get(chat["_id"], chat), delivered=sequence)',
        "await _advance(ctx, chat, delivered=sequence)",
        RECEIPTS,
    ),
    Fault(
        "who takes messages from nobody gets them",
        "resolvers/chat/opening.py",
        "if wish == AllowedSenders.NOBODY or await",
        "if await",
        OPENING,
    ),
    Fault(
        "another person's alias leads to one's own chat",
        "resolvers/chat/opening.py",
        'taken = known is not None and known["user_id"] != ctx.viewer_id',
        "taken = False",
        OPENING,
    ),
]
