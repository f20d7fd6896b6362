"""Words of favorites: why one went, what is told of targets, and how devices are merged."""

from enum import StrEnum
from typing import NewType

FavoriteKindName = NewType("FavoriteKindName", str)
"""A value of the schema's `FavoriteKind` enum: each system declares its own."""


class FavoriteStatus(StrEnum):
    """Status of what a person saved once."""

    SAVED = "SAVED"
    """The target is among the person's favorites."""
    REMOVED = "REMOVED"
    """The target is no favorite any more. Saved again within 90 days, it is the same one."""


class FavoriteRemovalReason(StrEnum):
    """Reason for which a favorite went."""

    USER = "USER"
    """The person removed the favorite."""
    SYNC = "SYNC"
    """A device of the person that was offline had removed the favorite, or its list replaced the server's."""
    TARGET_REMOVED = "TARGET_REMOVED"
    """The target was withdrawn: nobody can save it any more."""
    ACCOUNT = "ACCOUNT"
    """The person's account was deleted."""


class FavoriteTargetEventKind(StrEnum):
    """Kind of news about the target of a favorite."""

    AVAILABILITY = "AVAILABILITY"
    """An appointment has become free."""
    CANCELLATION = "CANCELLATION"
    """An appointment was canceled by somebody else."""
    PROMOTION = "PROMOTION"
    """A promotion of the target has begun."""
    PRICE_DROP = "PRICE_DROP"
    """The price is at least 5 % below the one when it was saved, and below all that were told since."""
    BACK_IN_STOCK = "BACK_IN_STOCK"
    """The target can be bought again."""


class FavoriteSyncStrategy(StrEnum):
    """Strategy by which a device's list and the server's become one."""

    MERGE = "MERGE"
    """The later act decides for each target. What a device does not list is kept."""
    LOCAL_WINS = "LOCAL_WINS"
    """The server's list becomes the device's."""
    SERVER_WINS = "SERVER_WINS"
    """The device's list becomes the server's."""
    PREVIEW = "PREVIEW"
    """Differences are shown as MERGE would settle them, and no list changes."""


class FavoriteDifferenceKind(StrEnum):
    """Kind of a difference between a device's list and the server's."""

    ONLY_LOCAL = "ONLY_LOCAL"
    """The device has saved what the server has never known."""
    ONLY_SERVER = "ONLY_SERVER"
    """The server has what the device does not list."""
    REMOVED_LOCALLY = "REMOVED_LOCALLY"
    """The device has removed what the server has."""
    REMOVED_ON_SERVER = "REMOVED_ON_SERVER"
    """The device lists what was removed on the server."""
    POSITION = "POSITION"
    """Both have the target, at different places among those that both have."""


class FavoriteSyncAction(StrEnum):
    """Action that settles a difference on the server."""

    ADD = "ADD"
    """The target is saved."""
    REMOVE = "REMOVE"
    """The target is no favorite."""
    KEEP = "KEEP"
    """The target stays as it is on the server."""


class FavoriteSuggestionReason(StrEnum):
    """Reason for which something is suggested to be saved."""

    HISTORY = "HISTORY"
    """You have bought or visited the target."""
    SIMILAR = "SIMILAR"
    """The target is like your favorites."""
    POPULAR = "POPULAR"
    """Many people choose the target."""
