"""OpenProject: work packages of API v3, from pages of the collection, single bodies or webhooks.

Source: https://www.openproject.org/docs/api (licence and citation: docs/sources.md).
One work package becomes one `Activity` of no duration at its UTC `createdAt`. `dueDate` has no time
and marks its day; a milestone has `date` in its place. The feature `duration` is `estimatedTime`,
or else `duration` (ISO 8601). Elements of a page have `_links` only, bodies `_embedded` too; names
of types, statuses and priorities come in any language, so the flags beside them go first.
"""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from jepa_ray.adapters.base import NotReadableError, SourceInfo
from jepa_ray.adapters.json_values import (
    chars,
    child,
    creation,
    due,
    priority,
    whole_number,
)
from jepa_ray.adapters.record_adapters import JsonAdapter
from jepa_ray.readers import RawItem
from jepa_ray.windows import DAY_MINUTES, NORMAL_PRIORITY, TEXT_CHARS_SCALE, Activity

CONFIDENCE = 0.85
_NUMBER = r"(\d{1,9}(?:\.\d{1,9})?)"
_DURATION = re.compile(
    rf"P(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?",
    re.ASCII,
)
_UNIT_MINUTES = (7 * DAY_MINUTES, DAY_MINUTES, 60, 1, 1 / 60)


class ProjectOpenproject(JsonAdapter):
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

    def records(self, item: RawItem) -> Iterator[tuple[str, Any]]:
        """The elements of a page, or the one work package of a body or a webhook."""
        for where, found in super().records(item):
            elements = child(found, "_embedded", "elements")
            if not isinstance(elements, list):
                yield where, found.get("work_package", found)
                continue
            for number, element in enumerate(elements, start=1):
                yield f"{where}:elements[{number}]", element

    def activity(self, record: Any) -> Activity:
        """One work package."""
        number = whole_number(child(record, "id"))
        if number is None or record.get("_type", "WorkPackage") != "WorkPackage":
            raise NotReadableError("missing_field", "this is no work package with an id")
        start, timed = creation(record, "createdAt")
        milestone = record.get("date") is not None
        minutes = _minutes(record, "estimatedTime") or _minutes(record, "duration")
        text = chars(record.get("subject"), child(record, "description", "raw"))
        project = self._linked(record, "project")
        return Activity(
            source_id=f"{project:016x}"[:8] + f"-{number}",
            start=start,
            timed=timed,
            due=due(record, "date" if milestone else "dueDate"),
            features={
                "task": 1.0,
                "project_activity": 1.0,
                "duration": minutes / DAY_MINUTES,
                "priority": _priority(record),
                "text_length": text / TEXT_CHARS_SCALE,
                "completion": _completion(record),
                "source_confidence": CONFIDENCE,
            },
            actor=self._linked(record, "author"),
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
