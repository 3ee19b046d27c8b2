"""A head a file of tests."""

from collections.abc import Iterator

import pytest

from tests.submit.heads import Head, start_head


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    with start_head() as found:
        yield found
