"""The compiled path is tested where it runs; under `LANDFALL_EXECUTOR=reference` other tests say enough."""

import pytest

from core.settings import Settings


@pytest.fixture(autouse=True)
def _compiled(settings: Settings) -> None:
    if settings.executor != "compiled":
        pytest.skip("about the compiled path")
