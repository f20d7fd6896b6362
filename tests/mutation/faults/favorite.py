"""Planted faults of favorites."""

from tests.mutation.fault import Fault

SAVING = ("tests/favorite/test_saving.py",)
ORDERING = ("tests/favorite/test_ordering.py",)
LISTS = ("tests/favorite/test_named_lists.py",)
MERGES = ("tests/favorite/test_merging.py",)
SYNCS = ("tests/favorite/test_syncing.py",)
NOTICES = ("tests/favorite/test_notices.py",)
WITHDRAWAL = ("tests/favorite/test_withdrawal.py",)
SUGGESTIONS = ("tests/favorite/test_suggestions.py",)
PRIVACY = ("tests/favorite/test_privacy.py",)
MERGING = "resolvers/favorite/merging.py"
SYNCING = "resolvers/favorite/syncing.py"
TELLING = "resolvers/favorite/telling.py"
WRITING = "resolvers/favorite/writing.py"

FAULTS = [
    Fault(
        "a list has one more than 500",
        WRITING,
        'if favorite_list["favorite_count"] + more > MOST_FAVORITES:',
        'if favorite_list["favorite_count"] > MOST_FAVORITES:',
        SAVING,
    ),
    Fault(
        "saving again what is saved moves it and tells all devices",
        "resolvers/favorite/saving.py",
        'if former is not None and former["status"] == FavoriteStatus.SAVED:\n        return former, default, True',
        'if former is not None and former["status"] == FavoriteStatus.SAVED and former["rank"] == "":\n'
        "        return former, default, True",
        SAVING,
    ),
    Fault(
        "what was withdrawn is saved",
        "resolvers/favorite/kinds.py",
        "if kind.withdrawn(target):",
        "if kind.withdrawn(target) and not target:",
        SAVING,
    ),
    Fault(
        "the note of what was removed is kept",
        WRITING,
        '        "list_ids": [],\n        "note": None,\n        "removed_at"',
        '        "list_ids": [],\n        "removed_at"',
        PRIVACY,
    ),
    Fault(
        "a target is toggled without bound",
        "resolvers/favorite/saving.py",
        'await ctx.limit(TARGET_RATE, f"{ctx.viewer_id}:{target_id}")',
        "",
        SAVING,
    ),
    Fault(
        "removed favorites are read by their ids",
        "resolvers/favorite/access.py",
        'return [each if each and each["status"] == FavoriteStatus.SAVED else None for each in found]',
        "return list(found)",
        SAVING,
    ),
    Fault(
        "order keys grow without end",
        WRITING,
        "if len(rank) <= ranks.LONGEST:",
        "if len(rank) >= 0:",
        ORDERING,
    ),
    Fault(
        "an older order overwrites a newer list",
        "resolvers/favorite/ordering.py",
        'check_version(expected_version, found["version"], favorite_list=found)',
        "check_version(None, 0)",
        ORDERING,
    ),
    Fault(
        "a list of another kind of favorites, or the default one, is deleted",
        "resolvers/favorite/access.py",
        'if found["name"] is None:',
        'if found["name"] == "":',
        LISTS,
    ),
    Fault(
        "two lists have one name",
        "resolvers/favorite/named_lists.py",
        'if any(each["name"] == name for each in others):',
        'if any(each["name"] is name for each in others[:0]):',
        LISTS,
    ),
    Fault(
        "there are more than 50 lists",
        "resolvers/favorite/named_lists.py",
        "if len(others) >= MOST_LISTS:",
        "if len(others) > MOST_LISTS:",
        LISTS,
    ),
    Fault(
        "at the same moment a removal beats what was saved",
        MERGING,
        'later = saved_at >= known["removed_at"]',
        'later = saved_at > known["removed_at"]',
        MERGES,
    ),
    Fault(
        "an older removal of a device takes what was saved since",
        MERGING,
        'return (REMOVE if known["saved_at"] < removed_at else KEEP)',
        'return (REMOVE if known["saved_at"] <= removed_at else KEEP)',
        MERGES,
    ),
    Fault(
        "a phone whose clock is ahead always wins",
        MERGING,
        "saved = {id: min(at, now) for id, at in saved.items()}",
        "saved = dict(saved)",
        MERGES,
    ),
    Fault(
        "of two orders of the same moment the device's counts",
        MERGING,
        "device.ordered_at > ordered_at",
        "device.ordered_at >= ordered_at",
        MERGES,
    ),
    Fault(
        "an empty list removes everything unasked",
        SYNCING,
        "if empties and not confirmed:",
        "if empties and confirmed:",
        SYNCS,
    ),
    Fault(
        "a preview is written",
        SYNCING,
        "if strategy == FavoriteSyncStrategy.PREVIEW:\n        merged = Merge()",
        "if strategy == FavoriteSyncStrategy.SERVER_WINS:\n        merged = Merge()",
        SYNCS,
    ),
    Fault(
        "a device that was away for longer than removals are known revives them",
        SYNCING,
        "if token is not None and ctx.services.signer.position(token).at < ctx.tx.now - changes.KEPT:",
        "if token is not None and ctx.services.signer.position(token).at > ctx.tx.now:",
        SYNCS,
    ),
    Fault(
        "notices of an hour are as many as there are events",
        TELLING,
        'if last is not None and last["at"] + HOUR > ctx.tx.now:',
        'if last is not None and last["at"] > ctx.tx.now:',
        NOTICES,
    ),
    Fault(
        "people are told more than ten times a day",
        TELLING,
        'if known is not None and known["count"] >= MOST_A_DAY:',
        'if known is not None and known["count"] > MOST_A_DAY:',
        NOTICES,
    ),
    Fault(
        "the day of notices is that of the server",
        TELLING,
        "zones.wall_time(zone, ctx.tx.now).date()",
        'zones.wall_time("UTC", ctx.tx.now).date()',
        NOTICES,
    ),
    Fault(
        "a price is told although it was told lower",
        TELLING,
        "return low_enough and (told is None or news.price < told)",
        "return low_enough",
        NOTICES,
    ),
    Fault(
        "prices of two currencies are compared",
        TELLING,
        'or favorite["currency"] != news.currency:',
        'or favorite["currency"] is None:',
        NOTICES,
    ),
    Fault(
        "people are told what they turned off",
        TELLING,
        "if not _wants(favorite, news.event):",
        "if _wants(favorite, news.event) is None:",
        NOTICES,
    ),
    Fault(
        "a job that is done again tells twice",
        TELLING,
        'if last is not None and last["event_id"] == news.event_id:',
        'if last is not None and last["event_id"] == "":',
        NOTICES,
    ),
    Fault(
        "what is offered again has left all lists",
        "resolvers/favorite/withdrawing.py",
        "if target is not None and not of.withdrawn(target):",
        "if target is None:",
        WITHDRAWAL,
    ),
    Fault(
        "the audit log tells that a single person saved something",
        "resolvers/favorite/withdrawing.py",
        "count if count >= FEWEST_COUNTED else None",
        "count",
        WITHDRAWAL,
    ),
    Fault(
        "what was dismissed is suggested",
        "resolvers/favorite/suggesting.py",
        'unwanted = saved | {each["target_id"] for each in dismissed}',
        "unwanted = saved",
        SUGGESTIONS,
    ),
]
