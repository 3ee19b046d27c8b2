"""Lines cut into chunks: none split, lost or doubled."""

import gzip
import io
import time
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.readers import (
    GZIP,
    Bounds,
    InputStream,
    RawDefect,
    RawItem,
    blocks_of,
    line_chunks,
    slices,
)

PIECES = st.lists(st.sampled_from([b"", b"a", b"bcd", b"\r", b"\0", b"x" * 30]), max_size=12).map(
    b"\n".join
) | st.binary(max_size=80)


class Dripping(io.BytesIO):
    """Gives few bytes at a time, so that pieces end anywhere."""

    def __init__(self, data, most):
        super().__init__(data)
        self._most = most

    def read(self, size=-1):
        return super().read(min(size, self._most))


def chunks(data, *, limit=1 << 20, chunk=4, gzipped=False):
    stream = InputStream(Dripping(data, chunk), codec=GZIP if gzipped else None)
    return list(line_chunks(stream, max_line_bytes=limit, chunk_bytes=chunk))


def numbered(items):
    """(number, line or slug) of everything that came."""
    found = []
    for item in items:
        if isinstance(item, RawDefect):
            found.append((item.number, item.slug))
            continue
        assert item.data
        lines = item.data.split(b"\n")
        found += [(item.number + i, line) for i, line in enumerate(lines[: len(lines) - 1])]
        found += [(item.number + len(lines) - 1, lines[-1])] if lines[-1] else []
    return found


@settings(deadline=None)
@given(PIECES.filter(bool), st.integers(1, 40))
def test_joined_chunks_are_the_input_and_end_at_newlines(data, chunk):
    items = chunks(data, chunk=chunk)
    assert b"".join(item.data for item in items) == data
    assert all(item.data.endswith(b"\n") for item in items[:-1])


@settings(deadline=None)
@given(PIECES.filter(bool), st.integers(1, 40), st.integers(1, 35))
def test_each_line_has_its_number_whatever_the_chunks_and_the_limit(data, chunk, limit):
    lines = data.split(b"\n")
    ends = [b"\n"] * (len(lines) - 1) + [b""]
    expected = [
        (i, line if len(line + end) <= limit else "record_too_large")
        for i, (line, end) in enumerate(zip(lines, ends, strict=True), start=1)
        if line + end
    ]
    assert numbered(chunks(data, chunk=chunk, limit=limit)) == expected


def test_lines_after_a_long_one_are_all_there():
    data = b"x" * 700_000 + b"\n" + b"short\n" * 1000 + b"y" * 500_000 + b"\nlast"
    found = numbered(chunks(data, limit=100_000, chunk=1 << 16))
    assert found[0] == (1, "record_too_large")
    assert found[1:1001] == [(i, b"short") for i in range(2, 1002)]
    assert found[1001:] == [(1002, "record_too_large"), (1003, b"last")]


def test_a_long_last_line_without_newline_is_one_defect():
    assert numbered(chunks(b"a\n" + b"x" * 100, limit=10)) == [(1, b"a"), (2, "record_too_large")]


def test_a_carriage_return_ends_no_line():
    assert numbered(chunks(b"a\rb\r\nc", limit=3)) == [(1, "record_too_large"), (2, b"c")]
    assert numbered(chunks(b"a\rb\r\nc")) == [(1, b"a\rb\r"), (2, b"c")]


def test_the_line_in_which_a_stream_is_cut_is_the_defect():
    packed = gzip.compress(b"one\ntwo\nthree", mtime=0)
    assert numbered(chunks(packed[:-8], gzipped=True)) == [
        (1, b"one"),
        (2, b"two"),
        (3, "truncated_stream"),
    ]


def test_a_whole_last_line_before_trailing_garbage_is_kept():
    packed = gzip.compress(b"one\ntwo", mtime=0) + b"garbage"
    assert numbered(chunks(packed, gzipped=True)) == [
        (1, b"one"),
        (2, b"two"),
        (3, "trailing_garbage"),
    ]


def test_an_empty_file_is_one_defect():
    assert numbered(chunks(b"")) == [(1, "empty_file")]


@pytest.mark.parametrize("line", [b"\n", b"x\n", b"x" * 300 + b"\n"])
@pytest.mark.parametrize("head", [b"", b"y" * 40_000 + b"\n", b"y" * 2_000 + b"\n"])
def test_lines_of_any_length_are_counted(head, line):
    data = head * 70 + line * 1000 + head
    assert chunks(data + b"end", chunk=1 << 22)[-1] == RawItem(1 + data.count(b"\n"), "", b"end")


@pytest.mark.parametrize("line", [b"\n", b"x" * 999_990 + b"\n", b"x" * 1_000_010 + b"\n"])
def test_the_time_is_linear_in_blank_lines_and_in_lines_about_as_long_as_the_limit(line):
    data = line * (8_000_000 // len(line))
    begin = time.process_time()
    list(line_chunks(InputStream(io.BytesIO(data)), max_line_bytes=1_000_000))
    assert time.process_time() - begin < 1


def test_a_stream_that_expands_at_once_is_cut_into_chunks_all_the_same():
    packed = gzip.compress(b"x\n" * 4_000_000, mtime=0)
    stream = InputStream(io.BytesIO(packed), codec=GZIP, bounds=Bounds(ratio=100_000))
    items = list(line_chunks(stream, max_line_bytes=1 << 24, chunk_bytes=1 << 16))
    assert max(len(item.data) for item in items) <= 1 << 17
    assert sum(item.data.count(b"\n") for item in items) == 4_000_000
    assert all(b.number - a.number == a.data.count(b"\n") for a, b in pairwise(items))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=9)), st.integers(1, 400))
def test_blocks_hold_all_items_in_order(contents, size):
    items = [RawItem(i, "", data) for i, data in enumerate(contents)]
    blocks = list(blocks_of(items, size))
    assert [item for block in blocks for item in block] == items
    assert all(sum(len(item.data) for item in block[:-1]) < size for block in blocks)


def test_empty_items_and_defects_fill_a_block_too():
    items = [RawItem(1, "", b"")] * 1000 + [RawDefect(1, "a", "b")] * 1000
    assert max(len(block) for block in blocks_of(items, 4096)) == 64
    assert max(map(len, blocks_of([RawItem(1, "n" * 4096, b"")] * 9, 4096))) == 1


@given(st.lists(st.integers(1, 20), min_size=1), st.integers(1, 40))
def test_slices_of_a_block_hold_all_items_and_few_records(steps, most):
    block = [RawItem(number, "", b"") for number in accumulate(steps)]
    found = list(slices(block, most))
    assert [item for piece in found for item in piece] == block
    assert all(piece[-1].number - piece[0].number < most for piece in found)


@pytest.mark.parametrize("size", [1, 100])
def test_defects_travel_in_blocks_too(size):
    items = [RawDefect(1, "a", "b"), RawItem(2, "", b"x"), RawDefect(3, "a", "b")]
    assert [item for block in blocks_of(items, size) for item in block] == items
