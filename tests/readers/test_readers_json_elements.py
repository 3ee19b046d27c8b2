"""Elements of a JSON array, cut out of a stream."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.readers import InputStream, RawDefect, json_elements


def read(data, *, limit=1000, chunk=1 << 18):
    stream = InputStream(io.BytesIO(data))
    return list(json_elements(stream, max_bytes=limit, chunk_bytes=chunk))


def outcome(data, **how):
    return [i.slug if isinstance(i, RawDefect) else i.data for i in read(data, **how)]


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1000])
def test_elements_are_cut_at_any_piece_of_the_stream(chunk):
    value = [{"a": '"],[{\\'}, [1, [2]], 'x,\\" ]', 5, None, {"b": {"c": []}}, {}]
    found = read(json.dumps(value).encode(), chunk=chunk)
    assert [json.loads(i.data) for i in found] == value
    assert [i.number for i in found] == list(range(1, 8))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"[]", []),
        (b" [ ] \n", []),
        (b"\xef\xbb\xbf[1]", [b"1"]),
        (b'{"a": [1]}', [b'{"a": [1]}']),
        (b"", ["empty_file"]),
        (b"  \n ", ["empty_file"]),
        (b"[1,]", [b"1", b""]),
        (b"[,1]", [b"", b"1"]),
        (b"[1, 2", [b"1", "truncated_document"]),
        (b'[1, "2]', [b"1", "truncated_document"]),
        (b"[1] x", [b"1", "trailing_garbage"]),
        (b"[1][2]", [b"1", "trailing_garbage"]),
    ],
)
def test_an_odd_document_has_its_elements_and_its_defect(data, expected):
    assert outcome(data) == expected
    assert outcome(data, chunk=1) == expected


@pytest.mark.parametrize("chunk", [1, 5, 1000])
def test_an_element_that_is_too_large_is_passed_over(chunk):
    data = b'[1, "' + b"a" * 30 + b'", 3]'
    assert outcome(data, limit=20, chunk=chunk) == [b"1", "record_too_large", b"3"]


def test_a_document_that_is_too_large_is_refused():
    assert outcome(b'{"a": "' + b"b" * 30 + b'"}', limit=20, chunk=7) == ["record_too_large"]


@given(st.binary(), st.integers(1, 9))
def test_no_bytes_crash_and_the_chunks_change_nothing(data, chunk):
    for raw in (data, b"[" + data):
        assert read(raw, chunk=chunk) == read(raw)
