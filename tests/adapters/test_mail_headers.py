"""The quick reading of headers is that of the standard library."""

import email.policy
from email.parser import BytesHeaderParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.adapters.mail_headers import mail_headers

NAMES = (
    "From", "To", "Cc", "Bcc", "Date", "Subject", "Message-ID", "Content-Type",
    "Content-Transfer-Encoding",
)  # fmt: skip
WORDS = st.sampled_from(
    [b"a@b.example", b"", b" ", b"\t", b"x: y", b"\r", b"\x0c", b"\xe9", b":", b"=?utf-8?q?a?="]
)
LINES = st.one_of(
    st.builds(
        lambda name, space, words: name + b":" + space + b" ".join(words),
        st.sampled_from([name.encode() for name in NAMES] + [b"to", b"X-From", b"", b"From "]),
        st.sampled_from([b"", b" ", b"\t "]),
        st.lists(WORDS, max_size=3),
    ),
    st.builds(lambda words: b" " + b" ".join(words), st.lists(WORDS, max_size=3)),
    WORDS,
)


def same(head: bytes) -> bool:
    ours = mail_headers(head)
    theirs = BytesHeaderParser(policy=email.policy.compat32).parsebytes(head)
    return all(
        [str(v) for v in ours.get_all(name, [])] == [str(v) for v in theirs.get_all(name, [])]
        for name in NAMES
    ) and (ours.get_content_type(), ours.get_content_charset()) == (
        theirs.get_content_type(),
        theirs.get_content_charset(),
    )


@settings(max_examples=600, deadline=None)
@given(st.lists(LINES, max_size=8), st.sampled_from([b"\n", b"\r\n"]))
def test_any_head_reads_as_the_standard_library_reads_it(lines, end):
    assert same(end.join(lines))


@given(st.binary(max_size=200))
def test_any_bytes_read_as_the_standard_library_reads_them(head):
    assert same(head)


@pytest.mark.parametrize(
    "head",
    [
        b"From: a@b\nTo: c@d,\n\te@f\nSubject: x\n y\nDate: Mon, 14 May 2001 16:39:00 -0700",
        b"FROM: a\r\nto:b\r\nX-To: c\r\n d\r\nTo: e",
        b"To: a\nno colon\nCc: b",
        b" folded first\nTo: a",
        b"From someone Mon May 14\nTo: a",
        b"To: a\n\rCc: b",
        b"Content-Type: text/plain; charset=us-ascii\nTo:\n \n\t\n x",
    ],
)
def test_known_heads_read_the_same(head):
    assert same(head)
