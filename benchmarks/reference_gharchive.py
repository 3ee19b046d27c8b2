"""The reference way of preparing GH Archive: one process, stdlib, dense tokens as JSON lines.

The peer of bench_prepare_gharchive.py. It does what the reference run's preparation did: read the
hour with `gzip`, each line with `json`, and write a record with 96 x 16 numbers of 3 decimals.
"""

import datetime as dt
import gzip
import json
from pathlib import Path

SLOTS, FEATURES = 96, 16
PROJECT, CODE, TEXT, CONFIDENCE = 5, 6, 12, 14


def text_of(payload: dict) -> str:
    """Title and body of what an event brings."""
    pieces = [commit.get("message") or "" for commit in payload.get("commits") or ()]
    for key in ("issue", "pull_request", "comment", "release"):
        found = payload.get(key)
        if isinstance(found, dict):
            pieces += [found.get("title") or found.get("name") or "", found.get("body") or ""]
    return "".join([*pieces, payload.get("description") or ""])


def record_of(event: dict) -> dict:
    """One reference record of one event."""
    start = dt.datetime.fromisoformat(event["created_at"])
    tokens = [[0.0] * FEATURES for _ in range(SLOTS)]
    for slot, token in enumerate(tokens):
        token[0] = token[1] = round(slot / (SLOTS - 1), 3)
    active = tokens[(start.hour * 60 + start.minute) // 15]
    active[PROJECT] = active[CODE] = 1.0
    active[TEXT] = round(min(len(text_of(event["payload"])) / 5000, 1.0), 3)
    active[CONFIDENCE] = 0.9
    return {
        "dataset": "gharchive",
        "source_id": event["id"],
        "window_kind": "code_event",
        "window_start": start.isoformat(),
        "window_end": start.isoformat(),
        "tokens": tokens,
        "metadata": {"type": event["type"]},
    }


def prepare(source: Path, target: Path) -> int:
    """Write the records of one hour as gzipped JSON lines; returns how many."""
    count = 0
    with gzip.open(source, "rt", encoding="utf-8") as lines, gzip.open(target, "wt") as out:
        for line in lines:
            out.write(json.dumps(record_of(json.loads(line))) + "\n")
            count += 1
    return count
