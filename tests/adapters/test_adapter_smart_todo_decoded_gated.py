"""A blocked dataset: no records, and the reason."""

from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.adapters.smart_todo_decoded_gated import SmartTodoDecodedGated
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem

ADAPTER = SmartTodoDecodedGated(PrepareConfig())


def test_it_is_blocked_with_a_reason_and_nobody_trains_on_it():
    assert ADAPTER.info.blocked
    assert not ADAPTER.info.trainable
    assert not ADAPTER.info.extra


def test_nothing_is_read_whatever_there_is(tmp_path):
    (tmp_path / "smart_todo").mkdir()
    (tmp_path / "smart_todo/decoded.tsv").write_text("x")
    assert ADAPTER.shards(tmp_path) == []


@given(st.binary())
def test_no_bytes_become_a_record(data):
    assert ADAPTER.parse("x", [RawItem(1, "", data)]).records == 0
