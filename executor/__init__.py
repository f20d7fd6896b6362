"""Compiled operations: one specialised function per document, run a whole level of parents at a time.

graphql-core, through Strawberry, is the reference. The compiled path handles no errors: on any anomaly it is
abandoned, and the reference produces the exact answer.
"""

from executor.engine import Executor, Prepared
from executor.written import Written, written

__all__ = ["Executor", "Prepared", "Written", "written"]
