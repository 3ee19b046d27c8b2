"""Formats that adapters share: byte streams, lines, tar members, calendars, JSON arrays, BSON."""

from jepa_ray.readers.bson_elements import BsonError, Element, ElementFinder
from jepa_ray.readers.codecs import GZIP, ZSTD, codec_in, codec_of
from jepa_ray.readers.ics import IcsCalendar, read_calendars
from jepa_ray.readers.json_elements import json_elements
from jepa_ray.readers.json_pieces import json_pieces
from jepa_ray.readers.lines import line_chunks
from jepa_ray.readers.mongodump import MongoArchive, Namespace, bson_documents
from jepa_ray.readers.packs import packed, unpacked
from jepa_ray.readers.raw import RawBlock, RawDefect, RawItem, blocks_of, slices
from jepa_ray.readers.stream import Bounds, InputStream
from jepa_ray.readers.tar import tar_members
from jepa_ray.readers.tree import FileGroup, list_groups, read_group

__all__ = [
    "GZIP",
    "ZSTD",
    "Bounds",
    "BsonError",
    "Element",
    "ElementFinder",
    "FileGroup",
    "IcsCalendar",
    "InputStream",
    "MongoArchive",
    "Namespace",
    "RawBlock",
    "RawDefect",
    "RawItem",
    "blocks_of",
    "bson_documents",
    "codec_in",
    "codec_of",
    "json_elements",
    "json_pieces",
    "line_chunks",
    "list_groups",
    "packed",
    "read_calendars",
    "read_group",
    "slices",
    "tar_members",
    "unpacked",
]
