"""Hook of the sequencer: entries that were just given their place."""

from collections.abc import Sequence

from core.context import Context
from core.hooks import Hook
from stores.audit import AuditEntry

chained = Hook[[Context, Sequence[AuditEntry]], None]("audit.chained")
"""Called with the entries of a batch, in the unit of work that chains them."""
