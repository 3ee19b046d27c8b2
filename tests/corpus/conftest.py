"""Prepared windows that the tests of the corpus only read."""

from pathlib import Path

import pytest

from tests.prepared_corpus import JIRA, issue_lines, write_prepared


@pytest.fixture(scope="session")
def two_datasets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 issues in six parts and 90 events in one: no two windows alike."""
    folder = tmp_path_factory.mktemp("two")
    write_prepared(folder / "p", folder / "raw", lines=issue_lines(240), files=6)
    write_prepared(folder / "p", folder / "raw2", "gharchive", records=90)
    assert (folder / "p" / JIRA).is_dir()
    return folder / "p"
