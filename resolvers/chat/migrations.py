"""Stored chats, brought up to date."""

from core.mutations.renames import rename_receipts
from core.storage.migrations import migration, rename_fields
from core.storage.mongo import Database
from stores import chat as store

MUTATIONS = {
    "openChat": "createChat",
    "editMessage": "updateMessage",
    "markDelivered": "markChatsDelivered",
    "markRead": "markChatRead",
    "reportMessage": "submitMessageReport",
    "judgeMessageReport": "decideMessageReport",
}
"""Former names of mutations, with the present ones."""
CHANGED_INPUTS = ("deleteMessage", "updateChat")
"""Mutations that kept their names while their inputs changed."""


@migration("chat.blocked")
async def blocked(db: Database) -> int:
    """Give the mark of chats between people who block each other its present name."""
    return await rename_fields(db, store.members, {"parted": "blocked"})


@migration("chat.mutation-names")
async def mutation_names(db: Database) -> int:
    """Let receipts of mutations be found under the mutations' present names."""
    return await rename_receipts(db, MUTATIONS, CHANGED_INPUTS)


@migration("chat.allowed-senders")
async def allowed_senders(db: Database) -> int:
    """Give the setting of who may begin a chat its present name, in receipts of its mutation as well."""
    renamed = await rename_fields(db, store.settings, {"who_can_message": "allowed_senders"})
    return renamed + await rename_receipts(db, {}, ["updateChatSettings"])
