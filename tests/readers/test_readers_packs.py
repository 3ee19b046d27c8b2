"""Packs of small items come apart as they went in."""

from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.readers import RawDefect, RawItem, packed, unpacked
from jepa_ray.readers.packs import PACK_BYTES

NAMES = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=5),
    st.binary(max_size=5).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
)


def numbered(contents):
    return [
        RawItem(number, *content) if content else RawDefect(number, "bad", "it is")
        for number, content in enumerate(contents, start=3)
    ]


@given(st.lists(st.one_of(st.none(), st.tuples(NAMES, st.binary(max_size=20))), max_size=9))
def test_any_items_come_back_and_defects_keep_their_place(contents):
    items = numbered(contents)
    found = list(packed(items))
    back = [i for f in found for i in ([f] if isinstance(f, RawDefect) else unpacked([f]))]
    assert back == items


def test_neighbours_share_a_pack_until_it_is_full():
    items = numbered([("a", b"x" * (PACK_BYTES // 2))] * 5)
    assert [item.number for item in packed(items)] == [3, 5, 7]


def test_long_names_and_empty_items_fill_a_pack_too():
    items = numbered([("n" * PACK_BYTES, b"")] * 3 + [("", b"")] * 9000)
    assert [item.number for item in packed(items)] == [3, 4, 5, 6, 6 + 4096, 6 + 8192]


def test_an_item_that_is_no_pack_comes_as_it_is():
    items = [RawItem(1, "maildir/a/1.", b"x"), RawItem(2, "", b"")]
    assert list(unpacked(items)) == items
