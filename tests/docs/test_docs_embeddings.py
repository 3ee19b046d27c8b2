"""The code of embeddings.md does what the page says."""

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest

from jepa_ray.evaluate import embed_windows
from tests.evaluate.embeddings import checkpoint
from tests.prepared_corpus import write_prepared

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "embeddings.md").read_text()
BLOCKS = [
    textwrap.dedent(block)
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE, re.MULTILINE)
    if "import" in block
]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """The folder in which the page's code is at home."""
    write_prepared(tmp_path / "windows", tmp_path / "raw", records=40)
    checkpoint(tmp_path / "runs" / "first")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("table")
def test_the_code_of_the_page_runs_as_it_stands():
    writing, reading, nearest = BLOCKS
    exec(writing, {})
    found = {}
    exec(reading, found)
    assert found["vectors"].shape == (40, 16)
    exec(nearest, found)
    assert len(found["nearest"]) == 5


@pytest.mark.usefixtures("table")
def test_the_nearest_day_is_the_day_itself():
    embed_windows("runs/first", "windows", "embeddings.parquet")
    found = {}
    exec(BLOCKS[2], found)
    first = found["table"]["window_uid"][0]
    likeness = np.sort(found["likeness"])[::-1]
    assert first in found["nearest"]["window_uid"].to_pylist() or likeness[4] > 0.999
    assert likeness[0] == pytest.approx(1, abs=1e-5)
