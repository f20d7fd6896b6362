"""Planted faults of the barcode scanner."""

from tests.mutation.fault import Fault

GOLDEN = ("tests/barcode/test_golden.py",)
SCANS = ("tests/barcode/test_scans.py",)
BATCHES = ("tests/barcode/test_batches.py",)
GROUPS = ("tests/barcode/test_groups.py",)
LOOKUPS = ("tests/barcode/test_lookups.py",)
REVIEWS = ("tests/barcode/test_reviews.py",)
MAPPINGS = ("tests/barcode/test_mappings.py",)
STACKS = ("tests/barcode/test_stacks.py",)
PHOTOS = ("tests/barcode/test_photos.py",)
PERSONAL = ("tests/barcode/test_personal.py",)
OUTSIDE = ("tests/barcode/test_outside.py",)

NORMAL = "resolvers/barcode/normal_form.py"
CARRIERS = "resolvers/barcode/carriers.py"
RECORDING = "resolvers/barcode/recording.py"
SUBMITTING = "resolvers/barcode/submitting.py"
REVIEWING = "resolvers/barcode/reviewing.py"
FANNING = "resolvers/barcode/fanning_out.py"

FAULTS = [
    Fault(
        "a batch that comes again reads its receipts one by one",
        "core/mutations/acts.py",
        "if not ctx.flush.foreseen:",
        "if False:",
        BATCHES,
    ),
    Fault(
        "each scan of a batch is a unit of work of its own",
        "core/mutations/groups.py",
        "if len(group) < 2:",
        "if True:",
        GROUPS,
    ),
    Fault(
        "receipts of a group take the place of those that are there",
        "core/mutations/idempotency.py",
        "_done(mutation, claim, payload), where=_expired())",
        "_done(mutation, claim, payload))",
        GROUPS,
    ),
    Fault(
        "a group leaves no receipts",
        "core/mutations/idempotency.py",
        '    ctx.tx.late.replace(receipts, claim["_id"], _done(mutation, claim, payload), where=_expired())\n',
        "",
        GROUPS,
    ),
    Fault(
        "one that is refused sends all of its group their own ways",
        "core/mutations/groups.py",
        "            self._alone.add(act.key)\n            raise",
        "            raise",
        GROUPS,
    ),
    Fault(
        "groups are tried in vain for ever",
        "core/mutations/groups.py",
        "self._failures += 1",
        "self._failures += 0",
        GROUPS,
    ),
    Fault(
        "the second of one key is done too",
        "core/mutations/groups.py",
        "if count > 1]",
        "if count > 2]",
        GROUPS,
    ),
    Fault(
        "scans of a group do not see those before them",
        RECORDING,
        "        claimed.record(window, scan)",
        "        pass",
        GROUPS,
    ),
    Fault(
        "scans of a group are compared to the microsecond",
        RECORDING,
        "else clock.cut(at)",
        "else at",
        GROUPS,
    ),
    Fault(
        "scans of a group do not see those of earlier batches",
        RECORDING,
        "    return Claimed(windows, earlier)",
        "    return Claimed(windows, {})",
        GROUPS,
    ),
    Fault(
        "receipts of scans keep what was scanned",
        "resolvers/barcode/batch.py",
        'return {name: value for name, value in recorded.items() if name != "lookup"}',
        "return dict(recorded)",
        BATCHES,
    ),
    Fault(
        "a mistyped code is another product",
        NORMAL,
        "    if not has_check_digit(padded):",
        "    if False:",
        GOLDEN,
    ),
    Fault(
        "a wrong check digit within an element string passes",
        CARRIERS,
        "Gtin(normal_form.read(number, BarcodeFormat.GTIN_14).digits, format)",
        "Gtin(number, format)",
        GOLDEN,
    ),
    Fault(
        "digits of another script are a code",
        NORMAL,
        "if not (digits.isascii() and digits.isdigit()):",
        "if not digits.isdigit():",
        GOLDEN,
    ),
    Fault(
        "eight digits that begin with 0 are an EAN-8",
        NORMAL,
        'return BarcodeFormat.UPC_E if digits[0] == "0" else BarcodeFormat.EAN_8',
        "return BarcodeFormat.EAN_8",
        GOLDEN,
    ),
    Fault(
        "a number of one shop is mapped for all",
        NORMAL,
        'return gtin[0] == "0" and gtin.startswith(OF_ONE_SHOP, 1)',
        "return False",
        GOLDEN,
    ),
    Fault(
        "a case is the article in it",
        "resolvers/barcode/looking_up.py",
        '        return lookup | {"candidates": cases, "note": CASE_OF, "note_values": {"gtin": inner}}',
        "        return lookup | (_match(cases[0]) if cases else {})",
        LOOKUPS,
    ),
    Fault(
        "the expiry of the month's last day is lost",
        CARRIERS,
        "day or monthrange(year, month)[1]",
        "day",
        GOLDEN,
    ),
    Fault(
        "a scan at ten seconds repeats the first",
        RECORDING,
        "return latest is not None and at < latest + store.REPEAT",
        "return latest is not None and at <= latest + store.REPEAT",
        SCANS,
    ),
    Fault(
        "the window of a repeat slides on with each one",
        "stores/barcode/scans.py",
        'window = {"$gt": at - REPEAT, "$lte": at}',
        'window = {"$gte": at - REPEAT, "$lte": at}',
        SCANS,
    ),
    Fault(
        "the app's cached product is believed",
        RECORDING,
        'corrected = said["product_id"] is not None and said["product_id"] != shown_id',
        "corrected = False",
        SCANS,
    ),
    Fault(
        "what was scanned is stored in the clear",
        "resolvers/barcode/sealing.py",
        'return crypto.blind(gtin, place="barcode/gtin")',
        "return gtin",
        SCANS,
    ),
    Fault(
        "receipts keep what was scanned",
        "schema/barcode/__init__.py",
        """        secrets=("lookup",),
        reissue=recording.looked_up_again,
        code=CODE,
        format=FORMAT,
        product_id=""",
        """        code=CODE,
        format=FORMAT,
        product_id=""",
        SCANS,
    ),
    Fault(
        "scans of a batch are taken in the order in which they were sent",
        "resolvers/barcode/batch.py",
        'in_order = sorted(scans, key=lambda each: each["scanned_at"])',
        "in_order = list(scans)",
        BATCHES,
    ),
    Fault(
        "any variant may be chosen for a code",
        "resolvers/barcode/looking_up.py",
        '''    if found is None:
        raise UserError("INVALID_INPUT"''',
        '''    found = found or lookup["candidates"][0]
    if found is None:
        raise UserError("INVALID_INPUT"''',
        SCANS,
    ),
    Fault(
        "a person's choice is everybody's match",
        "stores/barcode/scans.py",
        '''def choice_id(user_id: str, gtin_index: str) -> str:
    return f"{user_id}|{gtin_index}"''',
        """def choice_id(user_id: str, gtin_index: str) -> str:
    return gtin_index""",
        SCANS,
    ),
    Fault(
        "a code is submitted without end",
        SUBMITTING,
        "if len(today) >= MOST_A_DAY:",
        "if len(today) > MOST_A_DAY * 100:",
        REVIEWS,
    ),
    Fault(
        "a rejected code cannot be submitted again",
        SUBMITTING,
        'case["decided_at"] > now - store.AGAIN_AFTER',
        'case["decided_at"] <= now',
        REVIEWS,
    ),
    Fault(
        "a second decision replaces the first",
        REVIEWING,
        '''    if case["status"] in store.FINAL:
        raise UserError("CONFLICT"''',
        '''    if False:
        raise UserError("CONFLICT"''',
        REVIEWS,
    ),
    Fault(
        "two reviewers work on one case",
        REVIEWING,
        'if until is None or until <= ctx.tx.now or case["assignee_id"] == ctx.viewer_id:',
        "if True:",
        REVIEWS,
    ),
    Fault(
        "those who submitted a code are not told",
        FANNING,
        "if (template := TEMPLATES.get(status)) is not None:",
        "if (template := TEMPLATES.get(status)) is None:",
        REVIEWS,
    ),
    Fault(
        "scans stay matched with a product whose mapping was withdrawn",
        FANNING,
        'if clear["variant_id"] not in variants and (row["status"] == ScanStatus.MATCHED or not active):',
        "if False:",
        MAPPINGS,
    ),
    Fault(
        "strangers see what was submitted",
        "resolvers/barcode/access.py",
        "loader = by_id(store.submissions) if reviewer else own_by_id(store.submissions)",
        "loader = by_id(store.submissions)",
        REVIEWS,
    ),
    Fault(
        "a mapping that was withdrawn stays on devices",
        "stores/barcode/mappings.py",
        """[gtin_scope(mapping["gtin_index"])] if mapping["status"] == BarcodeMappingStatus.ACTIVE else []""",
        """[gtin_scope(mapping["gtin_index"])]""",
        MAPPINGS,
    ),
    Fault(
        "the catalog undoes what the staff decided",
        "resolvers/barcode/catalog_codes.py",
        'if there is not None and (there["set_by_staff"] or there["status"] == BarcodeMappingStatus.ACTIVE):',
        'if there is not None and there["status"] == BarcodeMappingStatus.ACTIVE:',
        MAPPINGS,
    ),
    Fault(
        "a code of another product is taken over",
        "resolvers/barcode/mapping.py",
        "    if other and not allow_multiple:",
        "    if False:",
        REVIEWS,
    ),
    Fault(
        "a product is in a stack twice",
        "resolvers/barcode/stacking.py",
        'known = next((each for each in there if each["product_id"] == product_id), None)',
        "known = None",
        STACKS,
    ),
    Fault(
        "a dosage that is changed in part loses the rest",
        "resolvers/barcode/dosing.py",
        "return {**before, **{",
        "return {**dict.fromkeys(before), **{",
        STACKS,
    ),
    Fault(
        "a photo that was refused is passed over in silence",
        "resolvers/barcode/photos.py",
        'change["status"] = BarcodeSubmissionStatus.NEEDS_INFO',
        'change["status"] = row["status"]',
        PHOTOS,
    ),
    Fault(
        "photos have addresses for an hour",
        "resolvers/barcode/photos.py",
        "url_seconds=240",
        "url_seconds=3_600",
        PHOTOS,
    ),
    Fault(
        "telemetry of scans says who scanned",
        "resolvers/catalog/telemetry.py",
        '"user_id": None if anonymous else ctx.viewer_id_or_none',
        '"user_id": ctx.viewer_id_or_none',
        PERSONAL,
    ),
    Fault(
        "an unknown code is asked for again and again",
        "resolvers/barcode/outside.py",
        "if await store.external_names.by_id(services.db, gtin) is not None:",
        "if False:",
        OUTSIDE,
    ),
]
