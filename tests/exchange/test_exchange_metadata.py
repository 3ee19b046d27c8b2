"""The metadata of a record: our columns come back, a foreign producer's text stays out."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.errors import CorpusError
from jepa_ray.exchange.metadata import MetadataReader, metadata_texts
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
            metadata=['{"people": 51, "votes": {"WD": {"noon": 2}}, "known": true}'])
    )  # fmt: skip
    found = MetadataReader(SALT).read(json.loads(text))
    assert found.timed is True
    assert (found.actor, found.project, found.category) == (ACTOR, 7, 'a "b" \u00e9')
    assert (found.due_us, found.offset) == (due, 0)
    assert found.own == '{"people":51,"votes":{"WD":{"noon":2}},"known":true}'


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
    "value", [3, 0.25, True, None, [1, 2.5, None], {"WD": {"noon": 2}}, -(2**63), 2**64 - 1]
)
def test_counts_and_flags_of_a_foreign_producer_are_kept(value):
    found = read(n=value)
    assert json.loads(found.own or "") == {"n": value}
    assert not dropped(n=value)


@pytest.mark.parametrize("value", ["Ann Example", ["x"], {"a": "x"}, {"a b": 1}, 2**64, [[["x"]]]])
def test_text_of_a_foreign_producer_is_not_kept_but_counted(value):
    assert read(n=value).own is None
    assert dropped(n=value, m=1) == {"n": 1}


def test_a_key_that_could_be_a_name_is_not_repeated():
    assert dropped(**{"ann@example.org": 1, "x" * 65: 2}) == {"(other keys)": 2}


def test_only_so_many_keys_are_listed():
    reader = MetadataReader(SALT)
    for i in range(300):
        reader.read({f"key{i}": "text"})
    assert len(reader.dropped) == 101
    assert reader.dropped.total() == 300


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
