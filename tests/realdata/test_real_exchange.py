"""Real samples through export and import: nothing changes, no record is lost."""

import pytest

from jepa_ray.config import PrepareConfig
from tests.exchange.test_exchange_round_trip import content, table_of, there_and_back
from tests.prepared_corpus import prepare_raw

pytestmark = pytest.mark.realdata


@pytest.mark.parametrize(
    ("dataset", "windows"), [("project_taiga", 83), ("ms_latte", 60), ("project_openproject", 5)]
)
def test_real_windows_come_back_as_they_were(real_data, tmp_path, dataset, windows):
    prepare_raw(tmp_path / "own", real_data, dataset, PrepareConfig())
    there_and_back(tmp_path / "own", tmp_path)
    assert content(tmp_path / "d") == content(tmp_path / "e")
    own, back = (table_of(tmp_path / name / dataset) for name in ("own", "p"))
    assert len(own) == windows
    assert own.equals(back)
