"""The demo shop: its file of raw rows, and what the importer makes of it."""

from collections import Counter

from devstack import shop
from resolvers.catalog import supplier_parser
from stores.catalog.kinds import DataQuality, IntakeTimeslot


def test_the_file_holds_a_real_shop_and_some_broken_rows() -> None:
    reads = [
        supplier_parser.read({name: value for name, value in row.items() if name != "row_index"})
        for row in shop.raw_rows()
    ]
    kept = [read for read in reads if read.saved and not read.errors]
    products = {read.fields["import_key"]: read for read in kept}
    assert len(products) >= 800
    per_category = Counter(read.category for read in products.values())
    assert all(per_category[name] >= 60 for name in supplier_parser.CATEGORIES)
    assert len({read.fields["brand"] for read in kept}) >= 20
    fine = [read for read in products.values() if read.quality is DataQuality.OK]
    assert len(fine) >= 780
    assert all(each.fields["ingredients"][0]["amount"] for each in fine)
    assert all(each.fields["dosage"]["recommended_units"] for each in fine)
    known = [each for each in fine if each.fields["schedule"]["timeslots"] != [IntakeTimeslot.UNSPECIFIED]]
    assert len(known) > 0.9 * len(fine)
    # Broken on purpose: rows that cannot be kept, some that cannot be published, and some to look after.
    assert Counter(read.saved for read in reads)[False] == 9
    assert sum(bool(read.errors) and read.saved for read in reads) == 4
    issues = {issue for read in reads for issue in read.issues}
    assert {"No name.", "No brand.", "No price.", "Unknown price.", "No form.", "Unknown form."} <= issues
    assert {"No category.", "Unknown category 'Gadgets'.", "No ingredients.", "No dosage."} <= issues
