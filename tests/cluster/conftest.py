"""A cluster a test."""

from collections.abc import Iterator

import pytest

from tests.cluster.raylets import Raylets, start_raylets


@pytest.fixture
def raylets() -> Iterator[Raylets]:
    with start_raylets() as cluster:
        yield cluster
