"""A task whose runs a test sees."""

import pytest

from core import jobs
from tests.engine.job_steps import NAME, Notes


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    taken = Notes()
    monkeypatch.setitem(jobs.TASKS, NAME, taken)
    return taken
