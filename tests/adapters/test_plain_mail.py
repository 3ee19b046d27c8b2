"""The quick reading of a mail gives what the careful one gives, or leaves it to that."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.adapters.mail_message import read_mail
from jepa_ray.adapters.plain_mail import PlainMails
from jepa_ray.readers import InputStream, codec_of, tar_members
from jepa_ray.synth import synthesize

PLAIN = PlainMails()
MAIL = b"""\
Message-ID: <1.JavaMail.x@y>
Date: Mon, 14 May 2001 20:51:09 -0700 (PDT)
From: a@example.com
To: b@example.com, c@example.com,
\td@example.com
Subject: Hello
Cc: e@example.com
Mime-Version: 1.0
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit
Bcc: e@example.com
X-From: A

Some text
"""
HEADERS = st.sampled_from(MAIL.partition(b"\n\n")[0].replace(b"\n\t", b"\0").split(b"\n")).map(
    lambda header: header.replace(b"\0", b"\n\t")
)
NAMES = st.sampled_from(
    [b"From", b"To", b"CC", b"bcc", b"Date", b"Subject", b"SUBJECT", b"Content-Type", b"X-To",
     b"Content-type", b"Content-Transfer-Encoding", b"Content-Description", b"Sender", b""]
)  # fmt: skip
VALUES = st.lists(
    st.sampled_from(
        [b"a@b.example", b"A@B.example.", b"@", b"@a", b"a@", b"a@b@c", b"x", b"o'r@x", b".", b" ",
         b"\t", b"\n ", b"\n\t\n ", b"\r", b"\x0b", b"\x1f", b"\0", b"\x7f", b"\xe9", b"<", b">,",
         b";", b"text/plain", b"text/html;", b"text", b"multipart/mixed; boundary=b", b"7bit",
         b"QUOTED-PRINTABLE", b"base64", b"14 May 2001", b"31 Feb 2001", b"May 14 2001", b"20:51",
         b"20:51:60", b"-0700", b"-0000", b"+9999", b"(PDT)", b"GMT", b"quoted-printable",
         b"text/plain;", b"charset=us-ascii", b"charset*=a\0b'en'x", b"charset*0=x"]
    ),
    max_size=6,
)  # fmt: skip
DATES = st.builds(
    b"Date: %b%d %b %b%b %b".__mod__,
    st.tuples(
        st.sampled_from([b"", b"Mon, ", b"May, ", b"Mon ", b"Xyz, "]),
        st.integers(0, 32),
        st.sampled_from([b"May", b"Feb", b"Xyz", b"MAY", b"5"]),
        st.sampled_from([b"2001", b"1999", b"1989", b"2029", b"2045", b"01", b"0001", b"19"]),
        st.sampled_from([b" 20:51:09", b" 09:05:00", b" 24:00:00", b" 20:51:60", b" 9:05", b""]),
        st.sampled_from([b"-0700", b"+0000", b"-0000", b"+1500", b"+1501", b"", b"-0700 (X)"]),
    ),
)  # fmt: skip
CONTENT = st.builds(
    lambda name, first, rest: name + b": " + first + rest,
    st.sampled_from([b"Content-Type", b"Content-Transfer-Encoding"]),
    st.sampled_from([b"text/plain;", b"text/html;", b"text/plain", b"quoted-printable", b"8bit"]),
    st.lists(
        st.sampled_from([b" ", b"\t", b"charset", b"*", b"0", b"=", b"a\0b'en'x", b"\x0b", b'"',
                         b"\x7f", b"%41", b";", b"latin-1"]),
        max_size=5,
    ).map(b"".join),
)  # fmt: skip
LINES = st.one_of(
    HEADERS,
    HEADERS,
    HEADERS,
    DATES,
    CONTENT,
    st.builds(lambda name, gap, words: name + b":" + gap + b" ".join(words), NAMES,
              st.sampled_from([b"", b" ", b"\t "]), VALUES),
    VALUES.map(b" ".join),
)  # fmt: skip
BODIES = st.lists(
    st.sampled_from(
        [b"text", b"\n", b"=20\n", b"=E9", b"=", b"\r\n", b"\xe9", b"--b", b"multipart/",
         b"Content-Type: text/plain", b"\n\n"]
    ),
    max_size=6,
).map(b"".join)  # fmt: skip


def agrees(data):
    """Whether a mail was read quickly; and then as the careful way reads it."""
    found = PLAIN.read(data)
    assert found is None or found == read_mail(data)
    return found is not None


def changed(**headers):
    """The mail with some headers in place of its own."""
    lines = MAIL.decode().split("\n")
    for name, value in headers.items():
        key = name.replace("_", "-")
        at = next(i for i, line in enumerate(lines) if line.startswith(f"{key}:"))
        lines[at] = f"{key}: {value}"
    return "\n".join(lines).encode("utf-8", "surrogateescape")


@settings(max_examples=1500, deadline=None)
@given(st.lists(LINES, max_size=12), st.sampled_from([b"\n", b"\n", b"\r\n"]), BODIES)
def test_any_headers_read_as_the_careful_way_reads_them(lines, end, body):
    agrees(end.join(lines) + end + end + body)


@settings(max_examples=1000, deadline=None)
@given(st.integers(0, len(MAIL)), st.integers(0, 6), st.binary(max_size=3))
def test_a_mail_with_some_bytes_changed_reads_as_the_careful_way_reads_it(at, cut, new):
    agrees(MAIL[:at] + new + MAIL[at + cut :])


@settings(max_examples=1500, deadline=None)
@given(st.lists(CONTENT, min_size=1, max_size=2), BODIES)
def test_any_content_headers_read_as_the_careful_way_reads_them(headers, body):
    agrees(b"\n".join([b"Date: 14 May 2001 20:51:09 -0700", *headers]) + b"\n\n" + body)


@settings(deadline=None)
@given(DATES, BODIES)
def test_any_date_reads_as_the_careful_way_reads_it(date, body):
    agrees(date + b"\nFrom: a@example.com\n\n" + body)


@pytest.mark.parametrize(
    "data",
    [
        MAIL,
        MAIL[: MAIL.index(b"Some")],
        changed(Content_Transfer_Encoding="quoted-printable").replace(b"text\n", b"some=78t=\n"),
        changed(From="", Subject=""),
        changed(From="A <A@Example.com>, b@example.com", To="a@example.com.", Cc='"x @ y" @z'),
        changed(Subject="one\n two\n\tthree "),
        changed(Date="14 May 2001 00:00:00 -0000"),
        changed(Date="4 May 2001 23:59:59 +9999"),
        changed(Content_Type="text/html"),
        MAIL.replace(b"Bcc:", b"BCC:").replace(b"Cc:", b"CC:"),
    ],
    ids=["usual", "no body", "quoted", "empty", "angles", "folded", "no zone", "odd zone", "html",
         "capitals"],
)  # fmt: skip
def test_a_plain_mail_is_read_quickly(data):
    assert agrees(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        MAIL.replace(b"\n", b"\r\n"),
        changed(Subject="Z\udcfcrich"),
        changed(X_From="\rTo: f@example.com"),
        changed(Date="Mon, 31 Dec 1979 16:00:00 -0800"),
        changed(Date="Mon, 31 Feb 2001 16:00:00 -0800"),
        changed(Date="Mon, 14 May 2001 16:00:00"),
        changed(Content_Type="multipart/mixed; boundary=b"),
        changed(Content_Type="text/plain;" + ";" * 5000),
        changed(Content_Type="text/plain; charset*=a\0b'en'x"),
        changed(Content_Type="text/plain; charset=a\x0bb"),
        changed(Content_Transfer_Encoding="base64"),
        changed(Content_Transfer_Encoding="quoted-printable ").replace(b"text\n", b"some=20\n"),
        changed(Content_Transfer_Encoding="quoted-printable\t").replace(b"text\n", b"some=20\n"),
        changed(Content_Transfer_Encoding="quoted-printable") + b"=E9",
        changed(Content_Transfer_Encoding="quoted-printable") + b"Content-Type: text/plain",
        b"To: f@example.com\n" + MAIL,
        b"from: f@example.com\n" + MAIL,
        b"From f@example.com Mon May 14\n" + MAIL,
    ],
)
def test_a_mail_that_is_not_plain_is_left_to_the_careful_way(data):
    assert PLAIN.read(data) is None


@pytest.mark.parametrize("fill", [b"a", b"a@", b"@", b"To: x\n", b"X: y\n", b" ", b"a:"])
def test_a_head_without_end_is_given_up_fast(fill):
    begin = time.process_time()
    assert not agrees(MAIL.partition(b"\n\n")[0] + b"\nX-To: " + fill * (200_000 // len(fill)))
    assert time.process_time() - begin < 5


def test_the_mails_of_an_archive_are_nearly_all_plain(tmp_path):
    synthesize("enron_maildir", tmp_path, seed=3, records=400)
    (path,) = tmp_path.rglob("*.tar.gz")
    with path.open("rb") as raw:
        stream = InputStream(raw, codec=codec_of(path.name))
        mails = [item.data for item in tar_members(stream, max_member_bytes=1 << 20)]
    assert sum(agrees(mail) for mail in mails) > 0.95 * len(mails)


def test_days_and_zones_without_end_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr("jepa_ray.adapters.plain_mail._MAX_KNOWN", 3)
    reader = PlainMails()
    for day in range(1, 29):
        data = changed(Date=f"{day} May 2001 10:00:00 +{day:04}")
        assert reader.read(data) == read_mail(data)
    assert max(len(reader._days), len(reader._zones)) <= 4
