"""MS-LaTTE: to-do tasks with the times of day at which judges would do them.

Source: Jauhar et al.: MS-LaTTE, LREC 2022 (licence and citation: docs/sources.md).
The file is one JSON array, cut element by element. A task marks the slots that a judge voted for:
morning 36 (09:00), afternoon 56, evening 72, night 84, anytime all four. There is no date, so no
`window_start`. Weekday and weekend votes merge in the slots and stay apart in the metadata;
`participant_count` of a slot is the judges who voted for it, either way, / 5. A task that no judge
knows a time for is untimed.
"""

from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from jepa_ray.adapters.base import NotReadableError, Shard, SourceInfo, file_shards
from jepa_ray.adapters.json_values import chars, encode
from jepa_ray.adapters.record_adapters import JsonAdapter
from jepa_ray.windows import NORMAL_PRIORITY, TEXT_CHARS_SCALE, Activity

CONFIDENCE = 0.9
JUDGES_SCALE = 5
SLOTS_OF = {
    "morning": (36,),
    "afternoon": (56,),
    "evening": (72,),
    "night": (84,),
    "anytime": (36, 56, 72, 84),
}
_DAYS = ("WD", "WE")
_MAX_JUDGES = 100
_MAX_TIMES_CHARS = 1000


class MsLatte(JsonAdapter):
    """Adapter of the dataset `ms_latte`."""

    info: ClassVar = SourceInfo(
        dataset="ms_latte",
        group="tasks",
        path="ms_latte/MS-LaTTE.json",
        licence="CDLA-Permissive-2.0",
        how_to_get="https://github.com/microsoft/MS-LaTTE (MS-LaTTE.json, 10,101 tasks); a sample "
        "MS-LaTTE.*.json is read where the whole is not there",
        citation="Jauhar et al.: MS-LaTTE: A Dataset of Where and When To-do Tasks are Completed, "
        "LREC 2022",
    )
    version: ClassVar = 1
    kind: ClassVar = "task_preference"

    def shards(self, root: Path) -> list[Shard]:
        """The whole dataset, or samples of it."""
        return file_shards(root, (self.info.path,)) or file_shards(
            root, ("ms_latte/MS-LaTTE.*.json",)
        )

    def activity(self, record: dict[str, Any]) -> Activity:
        """One task."""
        source_id, title = record.get("ID"), record.get("TaskTitle")
        if not isinstance(source_id, str) or not source_id or not isinstance(title, str):
            raise NotReadableError("missing_field", "a task needs the strings ID and TaskTitle")
        ballots = _ballots(record.get("TimeJudgements"))
        judges = Counter(
            slot
            for ballot in ballots
            for slot in {slot for _, part in ballot for slot in SLOTS_OF[part]}
        )
        features = {
            "task": 1.0,
            "priority": NORMAL_PRIORITY,
            "text_length": chars(title) / TEXT_CHARS_SCALE,
            "source_confidence": CONFIDENCE,
        }
        return Activity(
            source_id=self.public_id(source_id),
            start=None,
            timed=bool(judges),
            features=features,
            slots={s: {"participant_count": n / JUDGES_SCALE} for s, n in judges.items()} or None,
            category="timed" if judges else "untimed",
            metadata=_metadata(ballots),
        )


ADAPTER = MsLatte


def _ballots(judgements: Any) -> list[set[tuple[str, str]]]:
    """What each judge voted for: (day, part of the day); nothing where the judge knows no time."""
    if not isinstance(judgements, list) or len(judgements) > _MAX_JUDGES:
        raise NotReadableError("missing_field", f"no TimeJudgements, or more than {_MAX_JUDGES}")
    return [_ballot(judgement) for judgement in judgements]


def _ballot(judgement: Any) -> set[tuple[str, str]]:
    if not isinstance(judgement, dict):
        raise NotReadableError("bad_judgement", "a judgement is not an object")
    known, times = judgement.get("Known"), judgement.get("Times", "")
    if known not in ("yes", "no", True, False) or not isinstance(times, str):
        raise NotReadableError("bad_judgement", "Known is not yes or no, or Times is not a string")
    if known in ("no", False) or len(times) > _MAX_TIMES_CHARS:
        return set()
    votes = set()
    for vote in filter(None, (part.strip() for part in times.split(","))):
        day, _, part = vote.partition("-")
        if day.upper() not in _DAYS or part.lower() not in SLOTS_OF:
            raise NotReadableError("bad_judgement", "Times holds a time that we do not know")
        votes.add((day.upper(), part.lower()))
    return votes


def _metadata(ballots: list[set[tuple[str, str]]]) -> str:
    """Votes for weekdays and for the weekend, apart."""
    counts = Counter(vote for ballot in ballots for vote in ballot)
    votes = {day: {p: counts[day, p] for p in SLOTS_OF if counts[day, p]} for day in _DAYS}
    known = sum(map(bool, ballots))
    return encode({"judges": len(ballots), "known": known, "votes": votes})
