"""Tokens as text and back: every float32 to the bit, every defect named."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.exchange.tokens import BadTokensError, TokenReader, TokenWriter, number_text
from jepa_ray.windows import SLOTS, SparseWindows, sparsify
from tests.exchange.records import any_windows, tokens

UNIT = st.floats(0, 1, width=32)


def read(*texts: bytes, reader: TokenReader | None = None) -> tuple[SparseWindows, list[bool]]:
    reader = reader or TokenReader()
    windows, placed = reader.windows([reader.read(text) for text in texts])
    return windows, placed.tolist()


def text_of(value: object) -> bytes:
    return json.dumps(value).encode()


def bits(windows: SparseWindows) -> bytes:
    return windows.densify().tobytes()


@given(UNIT)
def test_a_number_reads_back_as_the_same_float32_also_by_way_of_a_double(value):
    text = number_text(np.float32(value))
    assert np.float32(json.loads(text)).tobytes() == np.float32(value).tobytes()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (1, "1.0"), (0, "0.0"), (-0.0, "-0.0"), (1 / 95, "0.010526316")],
)
def test_a_number_is_written_with_as_few_digits_as_can_be(value, text):
    assert number_text(np.float32(value)) == text


def test_the_text_of_a_window_is_the_json_of_its_dense_form():
    windows = any_windows(40)
    for text, dense in zip(TokenWriter().texts(windows), windows.densify(), strict=True):
        assert np.array_equal(np.array(json.loads(b"[" + text + b"]"), np.float32), dense)


def test_windows_of_all_shapes_come_back_to_the_bit():
    windows = any_windows(200)
    texts = [b"[" + text + b"]" for text in TokenWriter().texts(windows)]
    back, placed = read(*texts)
    assert all(placed)
    assert bits(back) == bits(windows)
    for name in ("offsets", "first", "last", "values"):
        assert getattr(back, name).tobytes() == getattr(windows, name).tobytes()


@given(st.lists(UNIT, min_size=14, max_size=14), st.integers(0, 95), st.booleans())
def test_any_values_come_back_to_the_bit(values, slot, compact):
    dense = np.array(tokens(decimals=None), np.float32)[None]
    dense[0, slot, 2:] = values
    windows = sparsify(dense)
    own = b"[" + TokenWriter().texts(windows)[0] + b"]"
    other = json.dumps(dense[0].tolist(), separators=(",", ":") if compact else None).encode()
    assert bits(read(own)[0]) == bits(read(other)[0]) == dense.tobytes()


@pytest.mark.parametrize("decimals", [None, 3, 4, 6, 9])
def test_positions_may_be_exact_or_rounded_and_become_the_contracts(decimals):
    windows, placed = read(text_of(tokens(decimals=decimals)))
    assert placed == [True]
    assert bits(windows) == bits(read(text_of(tokens(decimals=None)))[0])


def test_positions_of_two_decimals_or_of_another_slot_are_not_the_contracts():
    swapped = tokens()
    swapped[3], swapped[4] = swapped[4], swapped[3]
    uneven = tokens()
    uneven[5][1] = uneven[6][1]
    assert read(*map(text_of, [tokens(decimals=2), swapped, uneven, tokens()]))[1] == [
        False, False, False, True,
    ]  # fmt: skip


def with_token(slot: int, token: object) -> list:
    return [*tokens()[:slot], token, *tokens()[slot + 1 :]]


@pytest.mark.parametrize(
    "value",
    [
        5, "]" * 97, None, {}, [], [[]], [tokens()], tokens()[:-1], [*tokens(), tokens()[0]],
        with_token(3, [0.0] * 15), with_token(3, [0.0] * 17), with_token(3, [[0.0] * 16]),
        with_token(3, "x"), with_token(0, None), with_token(95, [True] * 16),
        with_token(9, ["0"] * 16), with_token(9, [[], *[0.0] * 15]),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_not_96_by_16_numbers_has_a_bad_shape(value):
    with pytest.raises(BadTokensError) as caught:
        TokenReader().read(text_of(value))
    assert caught.value.slug == "bad_shape"


@pytest.mark.parametrize("value", ["1.5", "-0.001", "1.00000001", "2", "1e400"])
def test_a_number_outside_the_unit_interval_is_named(value):
    text = text_of(tokens(priority=0.125)).replace(b"0.125", value.encode())
    with pytest.raises(BadTokensError) as caught:
        TokenReader().read(text)
    assert caught.value.slug == "bad_value"
    assert "slot 56" in caught.value.detail


def test_a_bad_token_does_not_spoil_the_windows_after_it():
    reader = TokenReader()
    with pytest.raises(BadTokensError):
        reader.read(text_of(tokens(priority=2)))
    windows, placed = read(text_of(tokens(priority=0.5)), reader=reader)
    assert placed == [True]
    assert windows.densify()[0, 56, 10] == 0.5


def test_tokens_of_absurd_length_are_not_remembered_but_refused():
    with pytest.raises(BadTokensError, match="longer than"):
        TokenReader().read(text_of(tokens()).replace(b" ", b" " * 200))


def test_more_distinct_tokens_than_are_remembered_give_the_same_windows(monkeypatch):
    monkeypatch.setattr("jepa_ray.exchange.tokens._KEPT", 100)
    monkeypatch.setattr("jepa_ray.exchange.tokens._KEPT_WHOLE", 2)
    windows = any_windows(60)
    writer, reader = TokenWriter(), TokenReader()
    for i in range(len(windows)):
        one = windows.take(np.array([i]))
        reader.begin_block()
        again, _ = read(b"[" + writer.texts(one)[0] + b"]", reader=reader)
        assert bits(again) == bits(one)


@given(st.recursive(st.floats() | st.text("[],1. ") | st.none(), st.lists, max_leaves=30))
def test_no_json_value_crashes_the_reader(value):
    with pytest.raises(BadTokensError):
        TokenReader().read(json.dumps(value, allow_nan=True).encode())


def test_no_windows_at_all_are_no_windows():
    windows, placed = read()
    assert (len(windows), placed) == (0, [])
    assert windows.densify().shape == (0, SLOTS, 16)
