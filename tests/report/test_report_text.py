"""Numbers and names as a reader sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.report.text import (
    Estimate,
    clean,
    count,
    estimate,
    file_name,
    markdown,
    name,
    number,
    percent,
)

M = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.01234567, "0.0123"),
        (1.04929552, "1.05"),
        (18.24, "18.2"),
        (412.3, "412"),
        (12345.6, "12,346"),
        (-1990.4, "\N{MINUS SIGN}1,990"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.00032, "3.20 \N{MULTIPLICATION SIGN} 10\u207b\u2074"),
        (1e20, "1.00 \N{MULTIPLICATION SIGN} 10\u00b2\u2070"),
        (None, "\N{EN DASH}"),
        (float("nan"), "\N{EN DASH}"),
    ],
)
def test_a_number_has_three_significant_digits(value, shown):
    assert number(value) == shown


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (Estimate(0.41234, 0.38111, 0.44299), "0.412 [0.381, 0.443]"),
        (Estimate(0.0123, 0.0114, 0.0132), "0.0123 [0.0114, 0.0132]"),
        (Estimate(18.2468, 17.1, 19.33), "18.2 [17.1, 19.3]"),
        (Estimate(-309, -320, -290), f"{M}309 [{M}320, {M}290]"),
        (Estimate(-0.001, -0.3, 0.3), "0.00 [\N{MINUS SIGN}0.30, 0.30]"),
        (Estimate(0.5), "0.500"),
        (Estimate(0.5, 0.5, 0.5), "0.500"),
        (None, "\N{EN DASH}"),
    ],
)  # fmt: skip
def test_an_interval_decides_how_many_digits_are_worth_showing(found, shown):
    assert estimate(found) == shown


def test_counts_and_shares_have_their_own_form():
    assert (count(70686), count(None), percent(0.98304)) == ("70,686", "\N{EN DASH}", "98.30 %")


@given(st.text())
def test_a_cleaned_text_is_one_line_that_prints(text):
    line = clean(text, 40)
    assert len(line) <= 40
    assert line.isprintable()


@given(st.text())
def test_a_name_is_never_empty(text):
    assert name(text)


@given(st.text())
def test_a_file_name_is_plain_and_leads_nowhere(text):
    found = file_name(text)
    assert found.isascii()
    assert not {"/", "\\", "\0"} & set(found)
    assert not found.startswith(".")
    assert 0 < len(found) <= 80


@given(st.lists(st.text(), unique=True, max_size=20))
def test_two_names_never_share_a_file(names):
    assert len({file_name(n) for n in names}) == len(names)


def test_a_plain_name_stays_as_it_is():
    assert file_name("enron_maildir") == "enron_maildir"
    assert markdown("enron_maildir") == "enron_maildir"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a\\|b"),
        ("[x](http://e.example)", "\\[x\\]\\(http:\\//e.example\\)"),
        ("<b>", "\\<b\\>"),
        ("# head", "\\# head"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("see www.e.example", "see www\\.e.example"),
        ("a\nb", "a b"),
        ("`code`", "\\`code\\`"),
    ],
)
def test_markdown_stays_text(text, shown):
    assert markdown(text) == shown
