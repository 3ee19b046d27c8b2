"""The archive form of mongodump, whole and damaged."""

import gzip
import io
import struct
import tracemalloc

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_dump import END, MAGIC, archive, crc64, document, header, items, prelude, read, slugs

from jepa_ray.readers import InputStream, Namespace, RawItem, bson_documents

ONE, TWO, THREE = document(1), document(2, 40), document(3)
SMALL = archive(("a", [ONE, TWO]), ("b", [THREE]), ("a", [document(4)]))
TINY_PIECES = [1, 2, 3, 5, 7, 16, 64, 1000]


class Trickle(io.BytesIO):
    """A file that gives a few bytes at a time."""

    def __init__(self, data, piece):
        super().__init__(data)
        self.piece = piece

    def read(self, size=-1):
        return super().read(min(size, self.piece) if size >= 0 else self.piece)


def test_interleaved_collections_come_in_their_order_with_their_names_and_checksums():
    outcomes, namespaces = read(SMALL)
    assert items(outcomes) == [
        ("db.a", ONE), ("db.a", TWO), ("db.b", THREE), ("db.a", document(4)),
    ]  # fmt: skip
    assert [o.number for o in outcomes] == [1, 2, 3, 4]
    assert namespaces == {"db.a": Namespace(3, True), "db.b": Namespace(1, True)}


@pytest.mark.parametrize("piece", TINY_PIECES)
def test_the_size_of_pieces_changes_nothing(piece):
    assert read(None, raw=Trickle(SMALL, piece)) == read(SMALL)


def test_a_compressed_archive_is_the_same():
    assert read(gzip.compress(SMALL), gzipped=True) == read(SMALL)


def test_several_gzip_members_are_one_archive():
    halves = gzip.compress(SMALL[:100]) + gzip.compress(SMALL[100:])
    assert read(halves, gzipped=True) == read(SMALL)


def test_an_empty_collection_has_a_right_checksum():
    assert read(archive(("a", [])))[1] == {"db.a": Namespace(0, True)}


@pytest.mark.parametrize("cut", range(len(SMALL)))
def test_a_cut_anywhere_loses_nothing_before_it(cut):
    outcomes, _ = read(SMALL[:cut])
    whole = items(read(SMALL)[0])
    found = items(outcomes)
    assert found == whole[: len(found)]
    assert len(found) == sum(SMALL.find(data) + len(data) <= cut for _, data in whole)
    assert slugs(outcomes)
    assert set(slugs(outcomes)) <= {
        "empty_file", "truncated_stream", "missing_terminator", "missing_eof",
    }  # fmt: skip


@pytest.mark.parametrize("cut", range(1, len(gzip.compress(SMALL))))
def test_a_cut_gzip_stream_is_reported(cut):
    outcomes, _ = read(gzip.compress(SMALL)[:cut], gzipped=True)
    found = items(outcomes)
    assert found == items(read(SMALL)[0])[: len(found)]
    assert slugs(outcomes)


def test_a_cut_between_segments_misses_the_ends_of_the_collections():
    outcomes, namespaces = read(archive(("a", [ONE]), ("b", [TWO]), end=False))
    assert slugs(outcomes) == ["missing_eof", "missing_eof"]
    assert "'db.a'" in outcomes[-2].detail
    assert namespaces["db.a"] == Namespace(1, None)


def test_a_collection_that_was_announced_and_never_came_is_missed():
    assert slugs(read(prelude("a"))[0]) == ["missing_eof"]


def announced(collection, **more):
    described = {"db": "db", "collection": collection, "metadata": "{}", "size": 0} | more
    return MAGIC + bson.encode({"version": "0.1"}) + bson.encode(described) + END


@pytest.mark.parametrize(
    "more",
    [
        {"type": "view"},
        {"type": "timeseries"},
        {"metadata": '{"type":"view"}'},
        {"metadata": '{"options":{"viewOn":"a","pipeline":[]}}'},
        {"metadata": '{"options":{"timeseries":{"timeField":"t"}}}'},
    ],
)
def test_a_view_has_no_data_and_so_no_end(more):
    outcomes, namespaces = read(announced("v", **more))
    assert slugs(outcomes) == []
    assert namespaces == {"db.v": Namespace(0, None)}


@pytest.mark.parametrize(
    "more",
    [{"type": "collection"}, {"type": ""}, {"type": 5}, {"metadata": "{"}, {"metadata": 5},
     {"metadata": "[]"}, {"metadata": '{"options":["viewOn"],"type":[]}'},
     {"metadata": "[" * 99_999}],
)  # fmt: skip
def test_any_other_collection_that_was_announced_has_one(more):
    assert slugs(read(announced("v", **more))[0]) == ["missing_eof"]


def test_a_view_that_was_dumped_as_a_collection_has_an_end_too():
    view = announced("v", type="view")
    assert slugs(read(view + header("v") + ONE + END)[0]) == ["missing_eof"]
    assert slugs(read(view + header("v") + ONE + END + header("v", crc64(ONE)) + END)[0]) == []


def test_databases_and_collections_with_dots_are_told_apart():
    segments = header("b.c", database="a") + ONE + END + header("c", database="a.b") + TWO + END
    ends = header("b.c", crc64(ONE), "a") + END + header("c", crc64(TWO), "a.b") + END
    outcomes, namespaces = read(prelude() + segments + ends)
    assert items(outcomes) == [("a.b.c", ONE), ("a%2Eb.c", TWO)]
    assert namespaces == {"a.b.c": Namespace(1, True), "a%2Eb.c": Namespace(1, True)}


def test_a_missing_end_mark_is_named():
    assert slugs(read(prelude("a") + header("a") + ONE)[0]) == ["missing_terminator"]
    assert slugs(read(prelude("a")[:-4])[0]) == ["missing_terminator"]


@pytest.mark.parametrize("data", [b"PK\x03\x04" * 9, b"{}", b"\0" * 99, MAGIC[::-1] + END])
def test_a_foreign_file_is_named(data):
    assert slugs(read(data)[0]) == [
        "truncated_stream" if len(data) < len(MAGIC) else "not_mongodump"
    ]


def test_an_empty_file_is_named():
    assert slugs(read(b"")[0]) == ["empty_file"]


@pytest.mark.parametrize("bit", range(0, 8 * len(ONE), 5))
def test_a_flipped_bit_in_a_document_fails_the_checksum_of_its_collection(bit):
    at = SMALL.find(ONE)
    damaged = bytearray(SMALL)
    damaged[at + bit // 8] ^= 1 << bit % 8
    outcomes, namespaces = read(bytes(damaged))
    if bit >= 32:  # its length is whole
        assert slugs(outcomes) == ["crc_mismatch"]
        assert "'db.a'" in outcomes[-1].detail
        assert namespaces == {"db.a": Namespace(3, False), "db.b": Namespace(1, True)}
    assert slugs(outcomes)


def test_every_flipped_bit_of_the_checksum_is_found():
    at = SMALL.rfind(b"\x12CRC\0") + 5
    for bit in range(64):
        damaged = bytearray(SMALL)
        damaged[at + bit // 8] ^= 1 << bit % 8
        assert slugs(read(bytes(damaged))[0]) == ["crc_mismatch"]


@pytest.mark.parametrize("size", [0, 1, 4, -2, -(2**31)])
def test_a_length_that_cannot_be_ends_the_reading(size):
    lie = struct.pack("<i", size) + ONE[4:]
    outcomes, _ = read(prelude("a") + header("a") + TWO + lie + END + header("b") + THREE + END)
    assert (items(outcomes), slugs(outcomes)) == ([("db.a", TWO)], ["bad_length"])


@pytest.mark.parametrize("size", [len(ONE) + 900, 2**31 - 1])
def test_a_length_past_the_end_is_a_cut(size):
    lie = struct.pack("<i", size) + ONE[4:]
    outcomes, _ = read(prelude("a") + header("a") + TWO + lie + END)
    assert (items(outcomes), slugs(outcomes)) == ([("db.a", TWO)], ["truncated_stream"])


@pytest.mark.parametrize("where", ["header", "metadata", "namespace"])
@pytest.mark.parametrize("size", [-5, 0, 4, 10**6, 2**31 - 1])
def test_lengths_of_the_framing_may_lie_too(where, size):
    data = bytearray(SMALL)
    at = {"header": 4, "metadata": 4 + len(bson.encode({"version": "0.1"}))}
    at["namespace"] = SMALL.find(END) + 4
    data[at[where] : at[where] + 4] = struct.pack("<i", size)
    outcomes, _ = read(bytes(data))
    assert items(outcomes) == []
    assert len(slugs(outcomes)) == 1


def test_a_document_of_the_prelude_that_is_no_bson_costs_itself_only():
    junk = b"\x06\0\0\0\x99\0"
    outcomes, _ = read(SMALL.replace(END, junk + END, 1))
    assert slugs(outcomes) == ["damaged_metadata"]
    assert len(items(outcomes)) == 4


@pytest.mark.parametrize(
    "bad",
    [
        b"\x06\0\0\0\x99\0",
        document(1),
        bson.encode({"db": 1, "collection": "a"}),
        bson.encode({"db": "db", "collection": "a", "EOF": True, "CRC": "x"}),
        bson.encode({"db": "db", "collection": "a" * 2000}),
        bson.encode({"db": "db", "collection": "a", "x": "x" * 70_000}),
    ],
)
def test_a_segment_without_a_namespace_ends_the_reading(bad):
    outcomes, _ = read(prelude("a") + header("a") + ONE + END + bad + TWO + END)
    assert (items(outcomes), slugs(outcomes)) == ([("db.a", ONE)], ["damaged_header"])


def test_a_name_that_is_no_text_is_kept_as_it_is():
    name = header("zz").replace(b"zz", b"\xff\xfe")
    outcomes, _ = read(prelude() + name + ONE + END)
    assert outcomes[0].name.encode("utf-8", "surrogateescape") == b"db.\xff\xfe"
    assert outcomes[1].detail.isascii()


def test_documents_after_the_end_of_their_collection_are_kept_and_it_is_open_again():
    outcomes, namespaces = read(SMALL + header("b") + THREE + END)
    assert len(items(outcomes)) == 5
    assert slugs(outcomes) == ["missing_eof"]
    assert namespaces["db.b"] == Namespace(2, None)


def test_a_document_above_the_limit_is_passed_over_and_counts_in_the_checksum():
    large = document(5, 5000)
    outcomes, namespaces = read(archive(("a", [ONE, large, TWO])), limit=1000)
    assert items(outcomes) == [("db.a", ONE), ("db.a", TWO)]
    assert slugs(outcomes) == ["record_too_large"]
    assert [o.number for o in outcomes] == [1, 2, 3]
    assert namespaces == {"db.a": Namespace(3, True)}


def test_a_huge_document_takes_no_memory():
    size = 100 << 20
    huge = struct.pack("<i", size) + b"\0" * (size - 4)
    packed = gzip.compress(prelude("a") + header("a") + huge + ONE + END, 1)
    del huge
    tracemalloc.start()
    outcomes, namespaces = read(packed, gzipped=True, limit=1 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20
    assert slugs(outcomes) == ["record_too_large", "missing_eof"]
    assert namespaces == {"db.a": Namespace(2, None)}


def test_a_hostile_number_of_collections_is_refused():
    many = b"".join(header(str(n)) + END for n in range(20_001))
    assert slugs(read(prelude() + many)[0])[0] == "damaged_header"


def test_bytes_after_the_compressed_archive_are_reported():
    outcomes, _ = read(gzip.compress(SMALL) + b"junk", gzipped=True)
    assert slugs(outcomes) == ["trailing_garbage"]
    assert len(items(outcomes)) == 4


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data):
    read(data)
    read(MAGIC + data)
    read(prelude("a") + data)
    read(prelude("a") + header("a") + data)


@given(st.data())
def test_no_damage_crashes_the_reader_or_goes_unsaid(data):
    damaged = bytearray(SMALL)
    at = data.draw(st.integers(0, len(SMALL) - 1))
    damaged[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != SMALL[at]))
    outcomes, _ = read(bytes(damaged))
    assert slugs(outcomes) or items(outcomes) == items(read(SMALL)[0])
    numbers = [o.number for o in outcomes]
    assert numbers == list(range(1, len(numbers) + 1))


def bson_file(data, limit=1 << 20):
    stream = InputStream(io.BytesIO(data))
    return list(bson_documents(stream, "db.a", max_document_bytes=limit))


def test_a_bson_file_is_documents_one_after_the_other():
    assert bson_file(ONE + TWO) == [RawItem(1, "db.a", ONE), RawItem(2, "db.a", TWO)]


@pytest.mark.parametrize("cut", range(1, len(ONE + TWO)))
def test_a_cut_bson_file_keeps_what_came_before(cut):
    outcomes = bson_file((ONE + TWO)[:cut])
    assert len(items(outcomes)) == (cut >= len(ONE))
    assert slugs(outcomes) == ([] if cut == len(ONE) else ["truncated_stream"])


@pytest.mark.parametrize("junk", [END, b"\0\0\0\0", b"\x04\0\0\0"])
def test_a_length_that_cannot_be_ends_a_bson_file(junk):
    outcomes = bson_file(ONE + junk + TWO)
    assert (len(items(outcomes)), slugs(outcomes)) == (1, ["bad_length"])


def test_a_bson_file_is_bounded_too():
    assert slugs(bson_file(ONE + document(2, 5000) + TWO, limit=1000)) == ["record_too_large"]


def test_the_checksum_by_hand_is_the_known_one():
    assert crc64(b"123456789") == 0x995DC9BBDF1939FA
