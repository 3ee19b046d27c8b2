"""Plain mails, nearly all there are, read by one regular expression; exactly as `read_mail` reads.

Plain is: ASCII, lines that end in LF, each header we use at most once and in its usual form, a date
such as `Mon, 14 May 2001 16:39:00 -0700 (PDT)`, a body of text that is 7bit or quoted-printable.
Where anything is not, this gives None and the careful way has the mail to itself.
"""

import binascii
import re

from jepa_ray.adapters.mail_message import Mail, mail_date
from jepa_ray.windows import local_us, offset_minutes

_MAX_HEAD_BYTES = 64 << 10
_MAX_QUOTED_BYTES = 64 << 10
_MAX_KNOWN = 20_000
_SECOND = 1_000_000  # microseconds

_REST = rb".*+\n(?:[ \t].*+\n)*+"
_WANTED = rb"from|to|cc|bcc|date|subject|content-type|content-transfer-encoding"
_DAY = rb"(?:[A-Z][a-z]{2}, )?\d\d? [A-Z][a-z]{2} (?:199|20[0-2])\d"
_CLOCK = rb"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)"
_ZONE = rb"[+-]\d{4}(?: \([A-Z]{1,5}\))?"
_HEAD = re.compile(
    rb"(?:"
    rb"[!-9;-AEG-RU-aeg-ru-~][!-9;-~]*+:" + _REST +
    # Each line can match in one way only, or a head that does not would take exponential time.
    # "(?(n)(?!))" fails where group n has a match already: the header stands there twice.
    rb"|From:(?(1)(?!))(" + _REST + rb")"
    rb"|To:(?(2)(?!))(" + _REST + rb")"
    rb"|C[cC]:(?(3)(?!))(" + _REST + rb")"
    rb"|B[cC][cC]:(?(4)(?!))(" + _REST + rb")"
    rb"|Subject:(?(5)(?!))[ \t]*+(.++(?:\n[ \t].*+)*+|)\n"
    rb"|Date:(?(6)(?!))[ \t]*+(" + _DAY + rb") " + _CLOCK + rb" (" + _ZONE + rb")[ \t]*+\n"
    rb"|Content-T"
    rb"(?:ype:(?(11)(?!))()[ \t]*+text/(?:plain|html)[ \t]*+(?:;[ -)+-~\t]{0,200}+)?\n"
    rb"|ransfer-Encoding:(?(12)(?!))()[ \t]*+"
    rb"(?:(?:[78]bit|binary)[ \t]*+|((?i:quoted-printable)))\n)"  # no blank: the library's rule
    rb"|(?=[B-DFSTb-dfst])(?!(?i:" + _WANTED + rb"):)[!-9;-~]++:" + _REST +
    rb")+\n"
).match  # fmt: skip
_BETWEEN = b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f<>,;:\"'()[]"
_TOKENS = bytes(0x20 if i in _BETWEEN else i for i in range(256)).lower()
"""Of a byte: a space where it stands between addresses, else lower case."""


class PlainMails:
    """Reads plain mails; remembers the days and zones it met."""

    def __init__(self) -> None:
        self._days: dict[bytes, int | None] = {}
        self._zones: dict[bytes, int] = {}

    def read(self, data: bytes) -> Mail | None:
        """What we take of a mail; None where it is not plain, which says nothing more of it."""
        match = _HEAD(data, 0, _MAX_HEAD_BYTES) if data.isascii() else None
        if match is None or data.find(b"\r", 0, match.end()) >= 0:
            return None
        from_, to, cc, bcc, subject, day, hour, minute, second, zone = match.groups(b"")[:10]
        day_us = self._days[day] if day in self._days else self._day(day)
        body = len(data) - match.end() if match[13] is None else _unquoted(data, match.end())
        if day_us is None or body is None:
            return None
        sender = _addresses(from_)
        return Mail(
            day_us + ((int(hour) * 60 + int(minute)) * 60 + int(second)) * _SECOND,
            self._zones[zone] if zone in self._zones else self._zone(zone),
            sender[0].decode() if sender else "",
            len({*sender, *_addresses(to + cc + bcc)}),
            len(subject) + body,
        )

    def _day(self, day: bytes) -> int | None:
        """Local microseconds of midnight; None where there is no such day, or no date at all."""
        midnight = mail_date(f"{day.decode()} 00:00:00 +0000") if day else None
        if len(self._days) > _MAX_KNOWN:
            self._days.clear()
        self._days[day] = None if midnight is None else local_us(midnight)
        return self._days[day]

    def _zone(self, zone: bytes) -> int:
        """UTC offset in minutes."""
        if len(self._zones) > _MAX_KNOWN:
            self._zones.clear()
        self._zones[zone] = offset_minutes(mail_date(f"1 Jan 2001 00:00:00 {zone.decode()}"))
        return self._zones[zone]


def _addresses(values: bytes) -> list[bytes]:
    """The addresses in some headers, each of which ends in a line feed."""
    text = b" " + values.translate(_TOKENS)
    if b" @" in text or b"@ " in text or b". " in text:
        return [token.rstrip(b".") for token in text.split() if b"@" in token[1:-1]]
    return [token for token in text.split() if b"@" in token]


def _unquoted(data: bytes, at: int) -> int | None:
    """Characters of a quoted-printable body; None where the parser could see more in it."""
    lower = data.lower()
    if len(data) > _MAX_QUOTED_BYTES or b"multipart/" in lower or b"content-type" in lower[at:]:
        return None
    text = binascii.a2b_qp(data[at:])
    return len(text) if text.isascii() else None
