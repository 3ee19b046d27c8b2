"""The metadata of a record: our columns come back, a foreign producer's text stays out."""

import json
import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.adapters import adapters, parse_block
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import CorpusError
from jepa_ray.exchange.metadata import MetadataReader, metadata_texts
from jepa_ray.synth import DATASETS, synthesize
from jepa_ray.windows import NO_OFFSET, NO_TIME, NameHasher, window_table
from tests.exchange.records import any_windows, columns_of

SALT = "very secret salt"
ACTOR = 0xFEDCBA9876543210


def row(**changes: object) -> pa.Table:
    """One row, given what its columns hold."""
    return window_table("d", "k", columns_of(any_windows(1), **changes), any_windows(1))


def read(**metadata: object):
    return MetadataReader(SALT).read(metadata)


def dropped(**metadata: object) -> dict[str, int]:
    reader = MetadataReader(SALT)
    reader.read(metadata)
    return dict(reader.dropped)


def test_what_a_row_has_comes_back():
    due = 86_400_000_000 * 20_000
    (text,) = metadata_texts(
        row(actor=[ACTOR], project=[7], category=['a "b" \u00e9'], due_us=[due],
            metadata=['{"people": 51, "votes": {"WD": {"night": 2}}, "known": true}'])
    )  # fmt: skip
    found = MetadataReader(SALT).read(json.loads(text))
    assert found.timed is True
    assert (found.actor, found.project, found.category) == (ACTOR, 7, 'a "b" \u00e9')
    assert (found.due_us, found.offset) == (due, 0)
    assert found.own == '{"people":51,"votes":{"WD":{"night":2}},"known":true}'


def test_what_a_row_does_not_have_is_left_out():
    (text,) = metadata_texts(row(offset_minutes=[NO_OFFSET]))
    assert text == '{"timed":true}'
    found = MetadataReader(SALT).read({})
    assert found == (None, NO_OFFSET, NO_TIME, 0, 0, None, None)


def test_a_column_goes_before_a_key_of_the_same_name():
    (text,) = metadata_texts(row(metadata=['{"timed": 3, "words": 4}']))
    assert json.loads(text) == {"timed": True, "utc_offset_minutes": 0, "words": 4}


@pytest.mark.parametrize("text", ["[1]", "{", '"x"', ""])
def test_metadata_that_is_no_object_is_an_error_that_names_the_window(text):
    table = row(metadata=[text])
    with pytest.raises(CorpusError, match=str(table["window_uid"][0].as_py())):
        metadata_texts(table)


@pytest.mark.parametrize(
    ("key", "value"),
    [("words", 3), ("words", 0.25), ("known", True), ("judges", None), ("people", -(2**63)),
     ("people", 2**64 - 1), ("votes", {"WD": {"morning": 1, "anytime": 2}, "WE": {}})],
)  # fmt: skip
def test_counts_and_flags_under_keys_of_our_adapters_are_kept(key, value):
    found = read(**{key: value})
    assert json.loads(found.own or "") == {key: value}
    assert not dropped(**{key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [("words", "Ann Example"), ("words", [3]), ("words", {"a": 1}), ("words", 2**64),
     ("words", math.nan), ("votes", 3), ("votes", {"jane.doe": 3}),
     ("votes", {"WD": {"jane.doe": 3}}), ("votes", {"WD": 3})],
)  # fmt: skip
def test_anything_else_under_them_is_dropped_and_counted_by_key(key, value):
    assert read(**{key: value}).own is None
    assert dropped(**{key: value}, people=1) == {key: 1}


def test_a_key_that_could_be_a_name_is_not_kept_and_not_repeated():
    names = {"jane.doe": 3, "Ann": {"WD": 1}, "ann@example.org": "x", "x" * 65: [2]}
    assert read(**names, words=1).own == '{"words":1}'
    assert dropped(**names, words=1) == {"(other keys)": 4}


@pytest.mark.parametrize("dataset", DATASETS)
def test_what_our_adapters_write_is_kept(dataset, tmp_path):
    synthesize(dataset, tmp_path, seed=2, records=60)
    adapter = adapters()[dataset](PrepareConfig())
    reader = MetadataReader(SALT)
    for shard in adapter.shards(tmp_path):
        for file in shard.files:
            for block in adapter.blocks(file):
                for text in filter(None, parse_block(adapter, file.label, block).columns.metadata):
                    assert json.loads(reader.read(json.loads(text)).own or "") == json.loads(text)
    assert not reader.dropped


def test_metadata_that_is_nested_without_end_is_an_error_that_names_the_window():
    with pytest.raises(CorpusError, match="nested too deeply"):
        metadata_texts(row(metadata=['{"a":' * 5000 + "1" + "}" * 5000]))


def test_an_actor_by_name_is_hashed_and_a_hash_is_taken():
    hasher = NameHasher(SALT)
    assert read(actor="Ann Example", project=17)[3:5] == (hasher("Ann Example"), hasher("17"))
    assert read(actor="00000000000000ff", project="")[3:5] == (255, 0)


@pytest.mark.parametrize(
    ("key", "value"),
    [("timed", "yes"), ("timed", 1), ("due", "someday"), ("due", 5), ("actor", ["x"]),
     ("actor", True), ("project", 0.5), ("category", 5), ("utc_offset_minutes", "+02:00"),
     ("utc_offset_minutes", 10**6), ("utc_offset_minutes", True)],
)  # fmt: skip
def test_a_column_of_another_form_is_dropped_and_counted(key, value):
    assert dropped(**{key: value}) == {key: 1}
    assert read(**{key: value}) == read()


SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANY = st.recursive(SIMPLE, lambda x: st.lists(x) | st.dictionaries(st.text(max_size=3), x))


@given(st.dictionaries(st.text(max_size=5), ANY))
def test_no_metadata_crashes_the_reader_and_what_is_kept_is_json(metadata):
    own = MetadataReader(SALT).read(metadata).own
    assert own is None or isinstance(json.loads(own), dict)
