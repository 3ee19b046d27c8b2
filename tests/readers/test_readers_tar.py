"""Tar members: as the standard library reads them, and every defect named."""

import gzip
import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.readers import GZIP, InputStream, RawDefect, RawItem, tar_members

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
FILES = [
    ("maildir/a/1.", b"one"),
    ("maildir/a/empty.", b""),
    ("./dot/2.", b"x" * 512),
    ("long/" + "d" * 60 + "/" + "f" * 90, b"y" * 513),
    ("last", b"z" * 5000),
]
UNLIMITED = [("n" * 300, b"deep"), ("ümläut/" + "é" * 120, b"utf-8")]


def member(name, kind=tarfile.REGTYPE, size=0):
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, "target"
    return info


def archive(files, fmt=tarfile.GNU_FORMAT):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=fmt) as tar:
        tar.addfile(member("maildir", tarfile.DIRTYPE))
        for name, data in files:
            info = name if isinstance(name, tarfile.TarInfo) else member(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def walk(data, *, limit=1 << 20, gzipped=False):
    stream = InputStream(io.BytesIO(data), codec=GZIP if gzipped else None)
    return list(tar_members(stream, max_member_bytes=limit))


def short(items):
    return [(i.number, i.name if isinstance(i, RawItem) else i.slug) for i in items]


def with_checksum(block):
    block = bytearray(block)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def header_of(name, kind=b"0", size=b"%011o\0" % 0):
    block = bytearray(member(name).tobuf(tarfile.GNU_FORMAT))
    block[156:157] = kind
    block[124:136] = size.ljust(12, b"\0")
    return with_checksum(block)


@pytest.mark.parametrize("fmt", FORMATS)
def test_members_equal_those_of_the_standard_library(fmt):
    files = FILES + (UNLIMITED if fmt != "ustar" else [])
    data = archive(files, FORMATS[fmt])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        expected = [(m.name, tar.extractfile(m).read()) for m in tar if m.isfile()]
    assert [(item.name, item.data) for item in walk(data)] == expected == files
    assert [item.number for item in walk(data)] == list(range(1, len(files) + 1))


names = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=60),
    min_size=1,
    max_size=4,
).map("/".join)


@settings(deadline=None)
@given(
    st.lists(st.tuples(names, st.binary(max_size=1200)), max_size=4),
    st.sampled_from(["gnu", "pax"]),
)
def test_any_names_and_contents_come_back(files, fmt):
    found = walk(archive(files, FORMATS[fmt]))
    expected = [data for _, data in files]
    safe = [data for name, data in files if ".." not in name.split("/")]
    assert [item.data for item in found if isinstance(item, RawItem)] == safe
    assert len(found) == len(expected)


@pytest.mark.parametrize("name", ["../up", "a/../../b", "/etc/passwd", "a/.."])
def test_a_name_that_leaves_the_folder_is_refused_and_the_next_member_read(name):
    found = short(walk(archive([(name, b"x" * 600), ("good", b"y")])))
    assert found == [(1, "unsafe_member"), (2, "good")]


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"6"])
@pytest.mark.parametrize("size", [b"%011o\0" % 0, b"%011o\0" % 5000])
def test_links_and_devices_are_refused_whatever_size_they_claim(kind, size):
    data = header_of("evil", kind, size) + archive([("good", b"y")])
    assert short(walk(data)) == [(1, "unsafe_member"), (2, "good")]


def test_a_member_over_the_limit_is_refused_and_the_next_one_read():
    found = short(walk(archive([("big", b"x" * 2000), ("good", b"y")]), limit=1000))
    assert found == [(1, "record_too_large"), (2, "good")]


def test_a_directory_in_the_old_way_is_no_member():
    data = header_of("maildir/", b"\0") + archive([("good", b"y")])
    assert short(walk(data)) == [(1, "good")]


@pytest.mark.parametrize("extra", [0, 1, 2])
def test_a_gnu_sparse_member_is_refused_with_its_whole_map(extra):
    header = bytearray(header_of("sparse", b"S", b"%011o\0" % 600))
    header[482] = extra > 0
    maps = [bytes(504) + bytes([i + 1 < extra]) + bytes(7) for i in range(extra)]
    data = with_checksum(header) + b"".join(maps) + b"d" * 1024 + archive([("good", b"y")])
    assert short(walk(data)) == [(1, "unsafe_member"), (2, "good")]


def test_a_pax_sparse_member_is_refused():
    info = member("GNUSparseFile.0/mail")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    data = archive([(info, b"1\n0\n512\n".ljust(1024, b"\0")), ("good", b"y")], tarfile.PAX_FORMAT)
    assert short(walk(data)) == [(1, "unsafe_member"), (2, "good")]


def test_a_damaged_header_is_one_defect_and_later_members_are_read():
    data = bytearray(archive([("a", b"1" * 1500), ("b", b"2" * 1500), ("c", b"3")]))
    data[512 + 5] ^= 1
    assert short(walk(bytes(data))) == [(1, "damaged_tar_header"), (2, "b"), (3, "c")]


def test_a_long_name_before_a_damaged_header_is_not_given_to_the_next_member():
    data = bytearray(archive([("n" * 200, b"1"), ("b", b"2")]))
    data[512 * 3 + 5] ^= 1
    assert short(walk(bytes(data))) == [(1, "damaged_tar_header"), (2, "b")]


@pytest.mark.parametrize("size", [b"not a number", b"-5", b"\xff" * 12, b"77777777777\0"])
def test_a_lying_size_is_a_defect(size):
    data = header_of("lie", b"0", size) + archive([("good", b"y")])
    found = short(walk(data))
    assert found[0][1] in ("damaged_tar_header", "truncated_stream")
    assert len(found) <= 2


def test_every_cut_of_an_archive_keeps_the_members_before_it():
    data = archive([("a", b"1" * 600), ("n" * 200, b"2" * 600)])
    content_end = 512 * 3 + 600 + 424
    for cut in range(1, len(data), 37):
        found = walk(data[:cut])
        items = [item for item in found if isinstance(item, RawItem)]
        assert [item.data for item in items] == [b"1" * 600, b"2" * 600][: len(items)]
        assert len(items) >= (cut >= content_end)
        assert len(found) - len(items) <= 1


@pytest.mark.parametrize("blocks", [1.5, 3, 5.5, 6, 7, 8.1])
def test_an_archive_cut_inside_a_member_says_so(blocks):
    data = archive([("a", b"1" * 600), ("n" * 200, b"2" * 600)])
    assert short(walk(data[: int(512 * blocks)]))[-1][1] == "truncated_stream"


def test_a_cut_gzip_is_named_after_the_members_before_it():
    packed = gzip.compress(archive([("a", b"1"), ("b", b"2")]), mtime=0)
    found = short(walk(packed[:-4], gzipped=True))
    assert found == [(1, "a"), (2, "b"), (3, "truncated_stream")]


def test_a_wrong_gzip_checksum_is_found_after_the_end_mark():
    packed = bytearray(gzip.compress(archive([("a", b"1")]), mtime=0))
    packed[-6] ^= 1
    assert short(walk(bytes(packed), gzipped=True)) == [(1, "a"), (2, "damaged_stream")]


def test_members_after_the_end_mark_are_not_lost_in_silence():
    data = archive([("a", b"1")])
    assert short(walk(data + data)) == [(1, "a"), (2, "trailing_garbage")]


def test_what_is_no_tar_is_one_or_two_defects():
    found = walk(b"<html>" * 1000)
    assert {item.slug for item in found} == {"damaged_tar_header", "truncated_stream"}


def test_an_extension_header_of_absurd_size_is_passed_over():
    data = header_of("x", b"L", b"%011o\0" % (2 << 20)) + b"n" * (2 << 20)
    assert short(walk(data + archive([("good", b"y")]), limit=10)) == [
        (1, "unsafe_member"),
        (2, "good"),
    ]


@settings(deadline=None)
@given(st.binary(max_size=3000), st.integers(0, 3), st.data())
def test_no_bytes_crash_the_walker(noise, where, data):
    assert isinstance(walk(noise), list)
    whole = bytearray(archive([("a", b"1" * 600), ("n" * 200, b"2")], tarfile.PAX_FORMAT))
    for _ in range(where):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert all(isinstance(item, RawItem | RawDefect) for item in walk(bytes(whole)))


@pytest.mark.parametrize("fmt", ["gnu", "pax"])
def test_a_name_that_no_file_system_takes_is_refused_and_the_next_member_read(fmt):
    data = archive([("n" * 4097, b"x"), ("m" * 4096, b"y"), ("a/1.", b"z")], FORMATS[fmt])
    assert short(walk(data)) == [(1, "unsafe_member"), (2, "m" * 4096), (3, "a/1.")]
