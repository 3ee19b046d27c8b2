"""Byte streams: every defect is remembered, and what came before it is kept."""

import gzip
import io
import os
import zlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.readers import GZIP, ZSTD, Bounds, InputStream, codec_of

TEXT = b"".join(b"line %d\n" % i for i in range(40_000))
PACKED = gzip.compress(TEXT, mtime=0)


def read_all(data, *, gzipped=True, size=1 << 16):
    stream = InputStream(io.BytesIO(data), codec=GZIP if gzipped else None)
    found = b"".join(iter(lambda: stream.read(size), b""))
    return found, stream.defect and stream.defect[0]


@pytest.mark.parametrize(
    ("data", "slug"),
    [
        (b"", "empty_file"),
        (b"<html>", "not_gzip"),
        (b"\x1f", "not_gzip"),
        (b"\x1f\x8b", "truncated_stream"),
        (PACKED[:10], "truncated_stream"),
    ],
)
def test_a_file_without_content_says_why(data, slug):
    assert read_all(data) == (b"", slug)


def test_a_plain_file_is_delivered_as_it_is():
    assert read_all(TEXT, gzipped=False) == (TEXT, None)


def test_an_empty_plain_file_is_a_defect():
    assert read_all(b"", gzipped=False) == (b"", "empty_file")


@settings(deadline=None)
@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4), st.integers(1, 5000))
def test_any_number_of_gzip_members_is_one_stream(parts, size):
    data = b"".join(gzip.compress(part, mtime=0) for part in parts)
    assert read_all(data, size=size) == (b"".join(parts), None)


def test_a_gzip_header_may_carry_a_name(tmp_path):
    with gzip.open(tmp_path / "named.gz", "wb") as file:
        file.write(TEXT)
    assert read_all((tmp_path / "named.gz").read_bytes()) == (TEXT, None)


@pytest.mark.parametrize("zeros", [1, 511, 100_000])
def test_zeros_after_the_last_member_are_padding(zeros):
    assert read_all(PACKED + b"\0" * zeros) == (TEXT, None)


def test_a_member_after_padding_is_read():
    assert read_all(PACKED + b"\0" * 70_000 + PACKED) == (TEXT * 2, None)


@pytest.mark.parametrize("tail", [b"x", b"\x1f", b"foreign", b"\0\0PK", b"\x1f\x00"])
def test_other_bytes_after_the_last_member_are_a_defect_and_the_text_is_kept(tail):
    assert read_all(PACKED + tail) == (TEXT, "trailing_garbage")


@pytest.mark.parametrize("cut", [3, 9, 10, 11, 100, 40_000, len(PACKED) - 9])
def test_a_cut_stream_keeps_what_came_before_the_cut(cut):
    found, slug = read_all(PACKED[:cut])
    assert slug == "truncated_stream"
    expected = zlib.decompressobj(wbits=31).decompress(PACKED[:cut])
    assert TEXT.startswith(found)
    assert len(found) >= len(expected) - 600  # the two decoders finish symbols at other places


@pytest.mark.parametrize("cut", range(len(PACKED) - 8, len(PACKED)))
def test_a_stream_cut_in_its_checksum_keeps_the_whole_text(cut):
    assert read_all(PACKED[:cut]) == (TEXT, "truncated_stream")


def test_every_cut_of_a_small_stream_is_a_defect_and_gives_a_beginning():
    packed = gzip.compress(b"some text, some more text", mtime=0)
    for cut in range(len(packed)):
        found, slug = read_all(packed[:cut])
        assert slug in ("empty_file", "not_gzip", "truncated_stream")
        assert b"some text, some more text".startswith(found)


@pytest.mark.parametrize("text", [b"short\n", TEXT])
@pytest.mark.parametrize("place", [-1, -4, -5, -8])
def test_a_wrong_checksum_or_length_is_a_defect_and_the_text_is_kept(text, place):
    packed = bytearray(gzip.compress(text, mtime=0))
    packed[place] ^= 1
    assert read_all(bytes(packed)) == (text, "damaged_stream")


def test_damage_in_the_middle_keeps_the_beginning():
    packed = bytearray(gzip.compress(bytes(i * i % 251 for i in range(300_000)), 1, mtime=0) * 9)
    packed[len(packed) // 2] ^= 0xFF
    found, slug = read_all(bytes(packed))
    assert slug in ("damaged_stream", "trailing_garbage", "truncated_stream")
    assert len(found) > 1_000_000


def test_a_detail_holds_nothing_of_the_content():
    stream = InputStream(io.BytesIO(PACKED[:-20] + b"SECRETMARKER" * 3), codec=GZIP)
    while stream.read(1000):
        pass
    assert stream.defect
    assert "SECRET" not in stream.defect[1]


@settings(deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_crash_the_stream(data, gzipped):
    read_all(data, gzipped=gzipped)
    read_all(b"\x1f\x8b\x08\x00" + data)


def test_skip_tells_how_much_there_was():
    stream = InputStream(io.BytesIO(PACKED), codec=GZIP)
    assert stream.skip(7) == 7
    assert stream.read(4) == TEXT[7:11]
    assert stream.skip(1 << 40) == len(TEXT) - 11


def test_a_bomb_is_read_in_bounded_pieces():
    bomb = gzip.compress(bytes(200 << 20), mtime=0)
    stream = InputStream(io.BytesIO(bomb), codec=GZIP)
    assert len(stream.read(1000)) == 1000
    assert len(stream._ready) <= 1 << 20


class Failing(io.BytesIO):
    """A disk that fails after the first read."""

    def read(self, size=-1):
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().read(size)


def test_a_read_error_is_a_defect():
    stream = InputStream(Failing(bytes(100_000)))
    assert len(stream.read(1 << 20)) == 32 << 10
    assert stream.read(1) == b""
    assert stream.defect == ("unreadable_file", "reading failed: Input/output error")


def zstd(data, level=3):
    return zstandard.ZstdCompressor(level=level, write_checksum=True).compress(data)


def read_zstd(data, bounds=None):
    stream = InputStream(io.BytesIO(data), codec=ZSTD, bounds=bounds)
    found = b"".join(iter(lambda: stream.read(1 << 16), b""))
    return found, stream.defect and stream.defect[0]


def test_zstd_frames_skippable_ones_included_are_one_stream():
    skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    data = zstd(TEXT) + skippable + zstd(b"x") + zstd(b"")
    assert read_zstd(data) == (TEXT + b"x", None)
    assert read_zstd(skippable + data) == (TEXT + b"x", None)
    assert read_zstd(data + b"\0" * 600) == (TEXT + b"x", None)


@pytest.mark.parametrize("cut", [4, 5, 9, 100, 1024, 1025, 20_000, -1, -4, -5])
def test_a_cut_zstd_stream_keeps_what_came_before_the_cut(cut):
    data = zstd(os.urandom(30_000) + TEXT)
    found, slug = read_zstd(data[:cut])
    assert slug == "truncated_stream"
    assert len(found) >= len(data[:cut]) - 128_000
    whole, _ = read_zstd(data)
    assert whole.startswith(found)


def test_a_flipped_bit_in_zstd_is_a_defect_and_what_came_before_is_kept():
    data = bytearray(zstd(TEXT) + zstd(TEXT[::-1]))
    data[len(zstd(TEXT)) + 3000] ^= 4
    found, slug = read_zstd(bytes(data))
    assert slug == "damaged_stream"
    assert found.startswith(TEXT)


@pytest.mark.parametrize(
    ("data", "slug"), [(b"", "empty_file"), (PACKED, "not_zstd"), (zstd(b"a") + b"PK", "trailing")]
)
def test_what_is_no_zstd_says_so(data, slug):
    assert str(read_zstd(data)[1]).startswith(slug)


@given(st.binary())
def test_no_bytes_crash_a_zstd_stream(data):
    read_zstd(data)
    read_zstd(zstd(TEXT)[:50] + data)


@pytest.mark.parametrize(("codec", "pack"), [(GZIP, gzip.compress), (ZSTD, zstd)])
def test_a_bomb_ends_at_its_bounds_in_little_memory(codec, pack):
    bomb = pack(bytes(200 << 20))
    for bounds, limit in (
        (Bounds(ratio=2), 64 << 20),
        (Bounds(ratio=10**5, bytes=1 << 20), 1 << 20),
    ):
        stream = InputStream(io.BytesIO(bomb), codec=codec, bounds=bounds)
        given_, largest = 0, 0
        while piece := stream._next_piece():
            given_ += len(piece)
            largest = max(largest, len(piece))
        assert stream.defect is not None
        assert stream.defect[0] == "decompression_bomb"
        assert "max_expansion" in stream.defect[1]
        assert given_ <= limit + (32 << 20)
        assert largest <= 33 << 20


def test_what_compresses_well_is_no_bomb():
    assert read_zstd(zstd(TEXT * 40))[1] is None
    assert read_all(gzip.compress(bytes(100 << 20), mtime=0))[1] == "decompression_bomb"
    assert read_all(gzip.compress(bytes(50 << 20), mtime=0))[1] is None


@pytest.mark.parametrize(
    ("name", "codec"), [("a.gz", GZIP), ("a.tar.zst", ZSTD), ("a.tgz", GZIP), ("a.json", None)]
)
def test_the_name_says_how_a_file_is_compressed(name, codec):
    assert codec_of(name) is codec


@pytest.mark.parametrize(("codec", "pack"), [(GZIP, gzip.compress), (ZSTD, zstd)])
def test_a_bomb_of_many_members_ends_at_its_bounds_too(codec, pack):
    bomb = pack(bytes(1 << 20)) * 300
    stream = InputStream(io.BytesIO(bomb), codec=codec, bounds=Bounds(ratio=2))
    given_ = sum(len(piece) for piece in iter(stream._next_piece, b""))
    assert stream.defect is not None
    assert stream.defect[0] == "decompression_bomb"
    assert given_ <= 98 << 20
