"""Formats that adapters share: byte streams, lines, tar members, calendar files, JSON arrays."""

from jepa_ray.readers.codecs import GZIP, ZSTD, codec_of
from jepa_ray.readers.ics import IcsCalendar, read_calendars
from jepa_ray.readers.json_elements import json_elements
from jepa_ray.readers.json_pieces import json_pieces
from jepa_ray.readers.lines import line_chunks
from jepa_ray.readers.raw import RawBlock, RawDefect, RawItem, blocks_of
from jepa_ray.readers.stream import Bounds, InputStream
from jepa_ray.readers.tar import tar_members

__all__ = [
    "GZIP",
    "ZSTD",
    "Bounds",
    "IcsCalendar",
    "InputStream",
    "RawBlock",
    "RawDefect",
    "RawItem",
    "blocks_of",
    "codec_of",
    "json_elements",
    "json_pieces",
    "line_chunks",
    "read_calendars",
    "tar_members",
]
