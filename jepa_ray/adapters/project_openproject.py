"""OpenProject: work packages of API v3, from pages of the collection, single bodies or webhooks.

Source: https://www.openproject.org/docs/api (licence and citation: docs/sources.md).
One work package becomes one `Activity` of no duration at its UTC `createdAt`. `dueDate` has no time
and marks its day; a milestone has `date` in its place. The feature `duration` is `estimatedTime`,
or else `duration` (ISO 8601). Elements of a page have `_links` only, bodies `_embedded` too; names
of types, statuses and priorities come in any language, so the flags beside them go first.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from jepa_ray.adapters.base import (
    Shard,
    SourceFile,
    SourceInfo,
    file_shards,
    json_blocks,
    name_hasher,
)
from jepa_ray.adapters.json_values import (
    NotReadableError,
    chars,
    child,
    creation,
    decode_object,
    due,
    priority,
    whole_number,
)
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawBlock, RawItem
from jepa_ray.windows import (
    DAY_MINUTES,
    NORMAL_PRIORITY,
    TEXT_CHARS_SCALE,
    Activity,
    ActivityBatch,
    Rejected,
)

CONFIDENCE = 0.85
_NUMBER = r"(\d{1,9}(?:\.\d{1,9})?)"
_DURATION = re.compile(
    rf"P(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?",
    re.ASCII,
)
_UNIT_MINUTES = (7 * DAY_MINUTES, DAY_MINUTES, 60, 1, 1 / 60)


class ProjectOpenproject:
    """Adapter of the dataset `project_openproject`."""

    info: ClassVar = SourceInfo(
        dataset="project_openproject",
        group="issues",
        path="project_apis/openproject/*.json",
        licence="that of your project; the public samples are MIT (node-op-client) and GPL-3.0 "
        "(documentation)",
        how_to_get="GET /api/v3/work_packages?offset=1&pageSize=1000 of an OpenProject server, "
        "one file a page",
        citation="OpenProject API v3, https://www.openproject.org/docs/api",
    )
    version: ClassVar = 1
    kind: ClassVar = "work_package"

    def __init__(self, config: PrepareConfig) -> None:
        self._config = config
        self._hash = name_hasher(config)

    def shards(self, root: Path) -> list[Shard]:
        """One shard a file."""
        return file_shards(root, (self.info.path, f"{self.info.path}.gz"))

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """The document as one item; bodies in an array one by one."""
        return json_blocks(file, self._config)

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """Work packages of some documents."""
        outcomes = [o for item in items for o in self._document(f"{label}#{item.number}", item)]
        return ActivityBatch.of(self.kind, outcomes)

    def _document(self, where: str, item: RawItem) -> Iterator[Activity | Rejected]:
        try:
            found = decode_object(item.data)
        except NotReadableError as error:
            yield Rejected(where, error.slug, error.detail)
            return
        elements = child(found, "_embedded", "elements")
        if not isinstance(elements, list):
            yield self._package(where, found.get("work_package", found))
            return
        for number, element in enumerate(elements, start=1):
            yield self._package(f"{where}:elements[{number}]", element)

    def _package(self, where: str, package: Any) -> Activity | Rejected:
        try:
            return self._activity(package)
        except NotReadableError as error:
            return Rejected(where, error.slug, error.detail)

    def _activity(self, package: Any) -> Activity:
        number = whole_number(child(package, "id"))
        if number is None or package.get("_type", "WorkPackage") != "WorkPackage":
            raise NotReadableError("missing_field", "this is no work package with an id")
        start, timed = creation(package, "createdAt")
        milestone = package.get("date") is not None
        minutes = _minutes(package, "estimatedTime") or _minutes(package, "duration")
        text = chars(package.get("subject"), child(package, "description", "raw"))
        project = self._linked(package, "project")
        return Activity(
            source_id=f"{project:016x}"[:8] + f"-{number}",
            start=start,
            timed=timed,
            due=due(package, "date" if milestone else "dueDate"),
            features={
                "task": 1.0,
                "project_activity": 1.0,
                "duration": minutes / DAY_MINUTES,
                "priority": _priority(package),
                "text_length": text / TEXT_CHARS_SCALE,
                "completion": _completion(package),
                "source_confidence": CONFIDENCE,
            },
            actor=self._linked(package, "author"),
            project=project,
            category="milestone" if milestone else "work_package",
        )

    def _linked(self, package: dict[str, Any], name: str) -> int:
        """The hash of a linked resource; 0 where its href is null."""
        href = child(package, "_links", name, "href")
        return self._hash(href) if isinstance(href, str) and href else 0


ADAPTER = ProjectOpenproject


def _minutes(package: dict[str, Any], name: str) -> float:
    """Minutes of an ISO 8601 duration without months; 0 where it is absent or null."""
    value = package.get(name)
    if value is None:
        return 0.0
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    parts = match.groups() if match else ()
    if not any(parts):
        raise NotReadableError("bad_duration", f"{name} is not an ISO 8601 duration")
    return sum(float(p or 0) * unit for p, unit in zip(parts, _UNIT_MINUTES, strict=True))


def _priority(package: dict[str, Any]) -> float:
    if child(package, "_embedded", "priority", "isDefault") is True:
        return NORMAL_PRIORITY
    name = child(package, "_embedded", "priority", "name")
    return priority(name or child(package, "_links", "priority", "title"))


def _completion(package: dict[str, Any]) -> float:
    if child(package, "_embedded", "status", "isClosed") is True:
        return 1.0
    done = package.get("percentageDone")
    return done / 100 if isinstance(done, int | float) and not isinstance(done, bool) else 0.0
