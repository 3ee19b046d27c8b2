"""What we take of one mail: when, by whom, among how many, how long; however odd it is.

Dates outside 1980-01-02 .. 2037 are of clocks that were never set (in the Enron corpus: 31 Dec 1979
is the DOS epoch in California, and years up to 2044): such a mail is rejected, since a made-up time
would teach a wrong slot.
"""

import codecs
import datetime as dt
import email
import email.policy
import email.utils
import re
from email.errors import MessageError
from email.message import Message
from typing import Any, NamedTuple

from jepa_ray.adapters.base import NotReadableError
from jepa_ray.adapters.mail_headers import mail_headers
from jepa_ray.windows import local_us, offset_minutes

EARLIEST = dt.datetime(1980, 1, 2, tzinfo=dt.UTC)
LATEST = dt.datetime(2038, 1, 1, tzinfo=dt.UTC)
_MAX_OFFSET_SECONDS = 15 * 3600
_MAX_HEADER_BYTES = 1 << 20
_MAX_MULTIPART_BYTES = 1 << 20
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_MAX_BOUNDARY_TESTS = 2_000_000
"""The parser tests each line against the boundaries of all parts that it is in."""
_TOKEN = re.compile(r"[^\s<>,;:\"'()\[\]]+")
_LONG_TYPE_BYTES = 4096
_LONG_TYPE = re.compile(
    rb"^content-type[ \t]*:(?:[^\n]|\n[ \t]){%d}" % _LONG_TYPE_BYTES, re.IGNORECASE | re.MULTILINE
)
"""Its parameters take the parser quadratic time."""
_NO_CHARSETS = {"idna", "punycode", "raw_unicode_escape", "raw-unicode-escape", "undefined"}
_NO_CHARSETS |= {"unicode_escape", "unicode-escape"}
"""Codecs of Python that no mail is written in; some take quadratic time."""

_PARSER_ERRORS = (
    MessageError, ValueError, LookupError, RecursionError, AttributeError, TypeError, IndexError,
)  # fmt: skip


class Mail(NamedTuple):
    """What we take of a mail.

    Attributes:
        start_us: Local microseconds of its `Date:`, on the wall clock of that header.
        offset_minutes: UTC offset of that clock; `NO_OFFSET` where the header has none.
        sender: The first address of `From:`, case folded; "" where there is none.
        people: Distinct addresses in `From:`, `To:`, `Cc:` and `Bcc:`.
        chars: Characters of the subject and of the text parts.
    """

    start_us: int
    offset_minutes: int
    sender: str
    people: int
    chars: int


def read_mail(data: bytes) -> Mail:
    """Read any mail, by the standard library's parser where need be.

    Args:
        data: The whole message.

    Raises:
        NotReadableError: It is no mail, or has no date that can be.
    """
    if not data.strip():
        raise NotReadableError("empty_message", "the message has no content")
    match = _HEADER_END.search(data, 0, _MAX_HEADER_BYTES)
    head = data[: match.start()] if match else data[:_MAX_HEADER_BYTES]
    body = data[match.end() :] if match else b""
    try:
        headers = mail_headers(head)
        start = _start(headers)
        sender, people = _people(headers)
        subject = str(headers.get("Subject") or "")
        chars = len(subject) + _body_chars(headers, data, body)
    except _PARSER_ERRORS as error:
        detail = f"the headers break the parser: {type(error).__name__}"
        raise NotReadableError("malformed_mail", detail) from None
    if start is None:
        raise NotReadableError("bad_date", "the Date header is not an RFC 5322 date")
    if not EARLIEST <= _aware(start) < LATEST:
        detail = f"the Date header lies in the year {start.year}"
        raise NotReadableError("implausible_date", detail)
    return Mail(local_us(start), offset_minutes(start), sender, people, chars)


def _start(headers: Message) -> dt.datetime | None:
    """When it was sent; None where the date is none."""
    stamp = headers.get("Date")
    if stamp is None:
        known = headers.get("From") or headers.get("Message-ID")
        slug = "missing_date" if known else "not_a_mail"
        raise NotReadableError(slug, "there is no Date header")
    return mail_date(str(stamp))


def mail_date(text: str) -> dt.datetime | None:
    """A `Date:` header on its own wall clock; naive where it has no usable offset.

    Returns:
        None where it is no date. Source: RFC 5322, section 3.3, read as `email.utils` reads it.
    """
    fields = email.utils.parsedate_tz(text)
    if fields is None:
        return None
    year, month, day, hour, minute, second = fields[:6]
    try:
        when = dt.datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001
    except (ValueError, OverflowError):
        return None
    offset = fields[9]
    if offset is None or abs(offset) > _MAX_OFFSET_SECONDS or (not offset and _no_zone(text)):
        return when
    return when.replace(tzinfo=dt.timezone(dt.timedelta(seconds=offset)))


def _no_zone(text: str) -> bool:
    """Whether a date says no zone, or "-0000"; `parsedate_tz` tells neither from UTC."""
    try:
        return email.utils.parsedate_to_datetime(text).tzinfo is None
    except ValueError:
        return False


def _aware(when: dt.datetime) -> dt.datetime:
    return when if when.tzinfo else when.replace(tzinfo=dt.UTC)


def _people(headers: Message) -> tuple[str, int]:
    """The sender's address, and how many distinct addresses there are."""
    sender = _addresses(headers, "From")
    everybody = {*sender}
    for name in ("To", "Cc", "Bcc"):
        everybody.update(_addresses(headers, name))
    return (sender[0] if sender else ""), len(everybody)


def _addresses(headers: Message, name: str) -> list[str]:
    values: list[Any] = headers.get_all(name) or []
    tokens = (token for value in values for token in _TOKEN.findall(str(value)))
    return [token.lower().rstrip(".") for token in tokens if "@" in token[1:-1]]


def _body_chars(headers: Message, data: bytes, body: bytes) -> int:
    """Characters of the text parts; of the raw body where decoding would cost too much."""
    if len(data) > _LONG_TYPE_BYTES and _LONG_TYPE.search(data):
        return len(body)
    encoding = str(headers.get("Content-Transfer-Encoding") or "7bit").strip().lower()
    kind = headers.get_content_maintype()
    if kind == "text" and encoding in ("7bit", "8bit", "binary"):
        return len(body) if body.isascii() else _text_chars(body, headers.get_content_charset())
    nested = data.lower().count(b"multipart/")
    if len(data) > _MAX_MULTIPART_BYTES or nested * data.count(b"\n") > _MAX_BOUNDARY_TESTS:
        return len(body)
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    total = 0
    for part in message.walk():
        if part.get_content_maintype() == "text" and not part.is_multipart():
            payload = part.get_payload(decode=True)
            total += (
                _text_chars(payload, part.get_content_charset())
                if isinstance(payload, bytes)
                else 0
            )
    return total


def _text_chars(data: bytes, charset: str | None) -> int:
    if data.isascii():
        return len(data)
    try:
        known = codecs.lookup(charset or "utf-8").name
        return len(data if known in _NO_CHARSETS else data.decode(known, "replace"))
    except (LookupError, ValueError):  # a charset nobody knows: one byte, one character
        return len(data)
