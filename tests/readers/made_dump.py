"""Archives written by hand, byte by byte: what the reader of them is tested with."""

import io
from collections import Counter

import bson
from bson.int64 import Int64

from jepa_ray.readers import GZIP, InputStream, MongoArchive, RawDefect, RawItem

MAGIC = b"\x6d\xe2\x99\x81"
END = b"\xff\xff\xff\xff"
_POLYNOMIAL = 0xC96C5795D7870F42  # ECMA-182, reflected


def crc64(data, value=0):
    """CRC-64/XZ, a bit at a time."""
    value ^= 2**64 - 1
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
    return value ^ (2**64 - 1)


def document(number, size=0):
    return bson.encode({"n": number, "text": "x" * size})


def header(collection, checksum=None, database="db"):
    signed = (checksum or 0) - (2**64 if (checksum or 0) >= 2**63 else 0)
    end = checksum is not None
    return bson.encode({"db": database, "collection": collection, "EOF": end, "CRC": Int64(signed)})


def prelude(*collections):
    described = [{"db": "db", "collection": c, "metadata": "{}", "size": 0} for c in collections]
    return MAGIC + b"".join(map(bson.encode, [{"version": "0.1"}, *described])) + END


def archive(*segments, end=True):
    """The archive of some segments, (collection, documents) each, in their order."""
    whole = prelude(*dict.fromkeys(name for name, _ in segments))
    content = Counter()
    for name, documents in segments:
        content[name] = (content[name] or b"") + b"".join(documents)
        whole += header(name) + b"".join(documents) + END
    if end:
        whole += b"".join(header(name, crc64(data)) + END for name, data in content.items())
    return whole


def read(data, *, gzipped=False, limit=1 << 20, raw=None):
    """Outcomes and namespaces of an archive."""
    stream = InputStream(raw or io.BytesIO(data), codec=GZIP if gzipped else None)
    walk = MongoArchive(stream, max_document_bytes=limit)
    return list(walk.outcomes()), walk.namespaces


def items(outcomes):
    return [(o.name, o.data) for o in outcomes if isinstance(o, RawItem)]


def slugs(outcomes):
    return [o.slug for o in outcomes if isinstance(o, RawDefect)]
