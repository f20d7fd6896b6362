"""The compiled path is tested where it runs; under `LANDFALL_EXECUTOR=reference` other tests say enough."""

import pytest


@pytest.fixture(autouse=True)
def _where_it_runs(compiled: None) -> None:
    pass
