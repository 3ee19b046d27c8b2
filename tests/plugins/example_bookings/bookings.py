"""Room bookings: one booking per record of a CSV file.

Source: the export of our booking system (made up).
A booking becomes one `Activity` from `start` to `end`, on the wall clock of the building: the
stamps have no offset. A `start` without a time is a whole day; a booking without an `end` marks the
slot in which it starts. Cancelled bookings are skipped. A quoted field may hold newlines, so a file
is read whole.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from typing import ClassVar

from jepa_ray.adapters import NotReadableError, RecordAdapter, SourceFile, SourceInfo, whole_file
from jepa_ray.adapters.json_values import encode, moment
from jepa_ray.readers import RawBlock, RawItem
from jepa_ray.windows import DAY_MINUTES, Activity, Skipped

CONFIDENCE = 0.9
COLUMNS = ["id", "room", "person", "start", "end", "created", "cancelled"]
FLAGS = {"yes": True, "no": False, "": False}


class Bookings(RecordAdapter):
    """Adapter of the dataset `bookings`."""

    info: ClassVar = SourceInfo(
        dataset="bookings",
        group="calendar",
        path="bookings/*.csv",
        licence="ours",
        how_to_get="booking system: Reports > Export > CSV, a file a year",
        citation="none",
    )
    version: ClassVar = 1
    kind: ClassVar = "booking"

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """The file as one item."""
        return whole_file(file, self._config)

    def records(self, item: RawItem) -> Iterator[tuple[str, list[str] | NotReadableError]]:
        """The rows below the header, each with the line on which it begins."""
        rows = _rows(_text(item.data))
        if next(rows, (1, None))[1] != COLUMNS:
            raise NotReadableError("unknown_header", f"the header is not {','.join(COLUMNS)}")
        for line, row in rows:
            yield f":{line}", row

    def activity(self, record: list[str]) -> Activity | Skipped:
        """One booking."""
        if len(record) != len(COLUMNS):
            detail = f"{len(record)} columns, not {len(COLUMNS)}"
            raise NotReadableError("malformed_row", detail)
        row = dict(zip(COLUMNS, map(str.strip, record), strict=True))
        if row["cancelled"].lower() not in FLAGS:
            raise NotReadableError("bad_flag", "cancelled is not yes, no or empty")
        if FLAGS[row["cancelled"].lower()]:
            return Skipped("cancelled")
        start, timed = _clock(row, "start")
        if not row["id"] or start is None:
            raise NotReadableError("missing_field", "a booking needs id and start")
        end, created = _clock(row, "end")[0] or start, _clock(row, "created")[0]
        if end < start:
            raise NotReadableError("end_before_start", "the booking ends before it starts")
        minutes = (end - start).total_seconds() / 60 if timed else DAY_MINUTES
        return Activity(
            source_id=self.public_id(row["id"]),
            start=start,
            end=end,
            timed=timed,
            features={
                "calendar_event": 1.0,
                "duration": minutes / DAY_MINUTES,
                "source_confidence": CONFIDENCE,
            },
            actor=self._hash(f"person {row['person']}") if row["person"] else 0,
            project=self._hash(f"room {row['room']}") if row["room"] else 0,
            metadata=encode({"booked_days_before": (start - created).days}) if created else None,
        )


ADAPTER = Bookings


def _text(data: bytes) -> str:
    """UTF-8 with or without a byte order mark; else what spreadsheets write."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _rows(text: str) -> Iterator[tuple[int, list[str] | NotReadableError]]:
    """The rows that are not empty, or what is wrong with one, each with its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # the message says what is wrong and quotes nothing
            yield line, NotReadableError("malformed_row", f"not CSV: {error}")
            continue
        if row:
            yield line, row


def _clock(row: dict[str, str], name: str) -> tuple[dt.datetime | None, bool]:
    """A stamp of the building's clock, and whether it has a time."""
    found, timed = moment(row, name) or (None, False)
    if found and found.tzinfo:
        raise NotReadableError("bad_time", f"{name} has an offset; we know only the wall clock")
    return found, timed
