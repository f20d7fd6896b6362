"""Uploads and media: guards, addresses, checks."""

from tests.mutation.fault import Fault

UPLOADS = ("tests/media/test_uploads.py", "tests/media/test_receiving.py")
DELIVERY = ("tests/media/test_delivery.py",)
CONTENT = ("tests/media/test_content.py", "tests/media/test_scanner.py")

FAULTS = [
    Fault(
        "private media are shown to whoever knows their id",
        "resolvers/media/access.py",
        "shown = await _shown(ctx, guarded) if guarded else set()",
        "shown = set(guarded)",
        DELIVERY,
    ),
    Fault(
        "a signed address is good for ever",
        "resolvers/media/media_urls.py",
        "fresh = int(ends) > clock.timestamp()",
        "fresh = True",
        DELIVERY,
    ),
    Fault(
        "a signed address opens another folder",
        "resolvers/media/media_urls.py",
        'ctx.services.signer.linked(signature, "get", folder, ends)',
        'ctx.services.signer.linked(signature, "get", folder, ends) or bool(signature)',
        DELIVERY,
    ),
    Fault(
        "an address climbs out of its folder",
        "resolvers/media/media_urls.py",
        'SEGMENT = r"[\\w\\-][\\w.\\- ]{0,119}"',
        'SEGMENT = r"[\\w.\\- ]{1,120}"',
        DELIVERY,
    ),
    Fault(
        "an equal file of another person is used",
        "resolvers/media/uploading.py",
        "medium = await store.equal(ctx.db, ctx.viewer_id, *same)",
        'medium = await store.media.first(ctx.db, {"sha256": upload["sha256"]})',
        UPLOADS,
    ),
    Fault(
        "an upload is complete without its parts",
        "resolvers/media/uploading.py",
        "    if missing:\n        raise UserError(",
        "    if False:\n        raise UserError(",
        UPLOADS,
    ),
    Fault(
        "a day's bytes are unlimited",
        "resolvers/media/uploading.py",
        "        await _check_quota(ctx, size_bytes)\n",
        "        pass\n",
        UPLOADS,
    ),
    Fault(
        "parts are signed without a limit",
        "resolvers/media/uploading.py",
        'part_numbers: Sequence[int]\n) -> dict[str, Any]:\n    """Fresh URLs for these parts; those that arrived stay."""\n    await ctx.limit(PART_RATE)\n',
        'part_numbers: Sequence[int]\n) -> dict[str, Any]:\n    """Fresh URLs for these parts; those that arrived stay."""\n',
        ("tests/engine/test_rates.py",),
    ),
    Fault(
        "a picture with an archive behind it is taken",
        "resolvers/media/sniffing.py",
        "    if ZIP_END in tail and not zipped:\n        return False\n",
        "",
        CONTENT,
    ),
    Fault(
        "an archive with a long comment hides behind a picture",
        "resolvers/media/sniffing.py",
        "HEAD, TAIL = 4_096, 65_557",
        "HEAD, TAIL = 4_096, 1_024",
        CONTENT,
    ),
    Fault(
        "an office document without its parts is taken",
        "resolvers/media/sniffing.py",
        'return {"[Content_Types].xml", INSIDE[mime]} <= names',
        "return True",
        CONTENT,
    ),
]
