"""Metrics of carts."""

from prometheus_client import Counter

MERGES = Counter(
    "landfall_cart_merges_total", "Merges into carts of accounts, by what the token said.", ["token"]
)
OPERATIONS = Counter("landfall_cart_operations_total", "Operations of replays, by their status.", ["status"])
ISSUES = Counter("landfall_cart_issues_total", "Issues that validations found, by their code.", ["code"])
VALIDATIONS = Counter(
    "landfall_cart_validations_total", "Validations of carts, by what came of them.", ["outcome"]
)
CONVERSIONS = Counter("landfall_cart_conversions_total", "Carts that became orders.")
