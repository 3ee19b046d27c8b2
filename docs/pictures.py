"""A made-up record of each source, and the picture of its window: for windows.md.

The records take the whole way: written below a data root, found, cut and parsed by the adapter.
"""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jepa_ray.adapters import adapters, parse_block
from jepa_ray.config import PrepareConfig
from jepa_ray.report import terminal_picture
from jepa_ray.windows import FEATURES, POSITIONS, record_windows

RECORDS = {
    "calendar_ics_thunderbird": {
        "calendar_ics/thunderbird/holidays.ics": """\
BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20260101
DTEND;VALUE=DATE:20260102
SUMMARY:New Year
END:VEVENT
END:VCALENDAR
"""
    },
    "calendar_ics_community": {
        "calendar_ics/community/city/events.ics": """\
BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1
DTSTART;TZID=America/Los_Angeles:20260306T193000
DTEND;TZID=America/Los_Angeles:20260306T210000
SUMMARY:Folk dance, beginners welcome
END:VEVENT
END:VCALENDAR
"""
    },
    "project_openproject": {
        "project_apis/openproject/1.json": """\
{
  "_type": "WorkPackage",
  "id": 1,
  "subject": "Mend the gate",
  "createdAt": "2026-03-02T14:01:44Z",
  "dueDate": null,
  "percentageDone": 0,
  "_links": {"priority": {"title": "Normal"}}
}
"""
    },
    "project_taiga": {
        "project_apis/taiga/tasks.json": """\
[
  {
    "id": 1,
    "us_order": 1,
    "subject": "Paint the gate",
    "created_date": "2026-03-02T11:08:24+0000",
    "due_date": "2026-03-02",
    "is_closed": true
  }
]
"""
    },
    "gharchive": {
        "gharchive/2015-01-01-0.json": """\
{"id": "1", "type": "PushEvent", "actor": {"login": "ada"}, "repo": {"name": "ada/mill"},
 "payload": {"commits": [{"message": "Turn the mill the other way"}]},
 "created_at": "2015-01-01T00:00:07Z"}
"""
    },
    "ms_latte": {
        "ms_latte/MS-LaTTE.json": """\
[
  {
    "ID": "1",
    "TaskTitle": "call the plumber",
    "TimeJudgements": [
      {"Known": "yes", "Times": "WD-morning"},
      {"Known": "yes", "Times": "WD-morning,WE-morning,WD-evening"},
      {"Known": "no", "Times": ""}
    ]
  }
]
"""
    },
    "epa": {
        "epa/EPADataset.tsv": """\
EPA-00001\t{"Subject": "Meeting", "From": {"emailAddress": {"Address": "ada@example.com"}},
 "ToRecipients": {"emailAddressList": [{"emailAddress": {"Address": "grace@example.com"}}]},
 "Message": "Hello.<br/><mark>Please book a room.</mark>", "TaskSentence": "Please book a room.",
 "Judgements": [{"1": ["grace@example.com"]}]}
"""
    },
    "enron_maildir": {
        "enron/maildir/maildir/ada-l/sent/1.": """\
Message-ID: <1@example.com>
Date: Mon, 14 May 2001 20:51:00 -0700 (PDT)
From: ada@example.com
To: grace@example.com, edsger@example.com
Subject: Room

The room is booked.
"""
    },
    "enron_cornell": {
        "enron/cornell/email-Enron-nverts.txt": "3\n",
        "enron/cornell/email-Enron-simplices.txt": "4\n8\n15\n",
        "enron/cornell/email-Enron-times.txt": "63106942800000\n",
    },
    "enron_snap": {"enron/snap/email-Enron.txt": "# FromNodeId\tToNodeId\n4\t8\n"},
    "public_jira": {
        "public_jira/made-up.normalized.jsonl": """\
{"id": "Jira:1", "key": "GATE-1", "created": "2014-05-02T06:48:12.000+0000", "dueDate": null,
 "summary": "The gate squeaks", "description": "In wet weather only."}
"""
    },
    "smart_todo_coded": {
        "smart_todo/data/Coded_Annotations/Spans_ToDo_dataset.tsv": (
            "UniqueID\tdata_index\tcurrent_id\thighlight_start\thighlight_end\tto_do_summary\n"
            "1\t1\t001-000001\t3\t9\t$12$ $7$ $810$ $44$\n"
        )
    },
}
ONE_LINE = {"epa", "gharchive", "public_jira"}
"""Their records are lines: what goes over several above is one in the file."""


def picture(dataset: str) -> str:
    """The record of a dataset, and the features of its window that are not 0."""
    dense = _window(dataset)
    used = [name for i, name in enumerate(FEATURES) if i >= POSITIONS and dense[:, i].any()]
    lines = [
        line
        for path, text in RECORDS[dataset].items()
        for line in [path, *(f"  {row}".rstrip() for row in text.splitlines())]
    ]
    drawn = terminal_picture(dense, features=used).plain.splitlines()
    return "\n".join([*lines, "", *(line.rstrip() for line in drawn), ""])


def _window(dataset: str) -> NDArray[np.float32]:
    """float32 (96, 16): the one window that the record becomes."""
    adapter = adapters()[dataset](PrepareConfig())
    with tempfile.TemporaryDirectory() as folder:
        for path, text in RECORDS[dataset].items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace("\n ", " ") if dataset in ONE_LINE else text)
        (batch,) = (
            parse_block(adapter, file.label, block)
            for shard in adapter.shards(Path(folder))
            for file in shard.files
            for block in adapter.blocks(file)
        )
    return record_windows(batch.columns).densify()[0]
