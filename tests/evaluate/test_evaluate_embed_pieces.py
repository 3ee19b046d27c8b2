"""How the input is cut, and equal windows embedded once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.corpus.parts import Part
from jepa_ray.evaluate.embed_input import Given, Span, cut
from jepa_ray.evaluate.embed_piece import distinct
from jepa_ray.windows import concat
from tests.corpus.windows import days, moments


def given_of(sizes: list[tuple[str, int]]) -> Given:
    spans = [
        (name, Span(Part(f"{i}.parquet", name, n, 1), None, 0, n, str(i)))
        for i, (name, n) in enumerate(sizes)
    ]
    return Given("", {}, tuple(spans))


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), max_size=8).map(sorted),
    st.integers(1, 7),
)
def test_every_row_is_in_one_piece_and_pieces_are_full_but_for_the_last_of_a_dataset(sizes, rows):
    pieces = cut(given_of(sizes), rows)
    found = [
        (s.part.url, row) for piece in pieces for s in piece.spans for row in range(s.start, s.stop)
    ]
    assert found == [(f"{i}.parquet", row) for i, (_, n) in enumerate(sizes) for row in range(n)]
    for name in "ab":
        counts = [piece.rows for piece in pieces if piece.dataset == name]
        assert all(count == rows for count in counts[:-1])
        assert all(0 < count <= rows for count in counts)


def test_copies_lead_to_the_window_that_they_are_copies_of():
    windows = concat([moments(5), days(20), moments(5)])
    chosen, place = distinct(windows)
    assert np.array_equal(windows.take(chosen).densify()[place], windows.densify())
    assert len(chosen) == len(np.unique(windows.densify().reshape(30, -1), axis=0))
    assert np.array_equal(np.sort(chosen), chosen)


def test_windows_that_only_share_a_content_hash_are_told_apart(monkeypatch):
    windows = moments(9)
    monkeypatch.setattr(type(windows), "fingerprints", lambda w: np.zeros(len(w), np.uint64))
    chosen, place = distinct(windows)
    assert np.array_equal(windows.take(chosen).densify()[place], windows.densify())
