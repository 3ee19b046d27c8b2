"""The stage: plan all datasets, do what needs doing one after the other, report on the run."""

import logging
import os
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jepa_ray.adapters import select
from jepa_ray.cluster import session
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError
from jepa_ray.prepare.dataset import prepare_dataset
from jepa_ray.prepare.documents import (
    Manifest,
    public,
    run_markdown,
)
from jepa_ray.prepare.plan import (
    Plan,
    make_plan,
    refuse_absent,
    refuse_imported,
)
from jepa_ray.storage import (
    exists,
    join,
    require_writable,
    source_folder,
    write_bytes,
    write_json,
)

if TYPE_CHECKING:
    from jepa_ray.prepare.work import Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PrepareResult:
    """Manifests by dataset, with `seconds` and `unchanged` added; and what failed."""

    run_id: str
    manifests: dict[str, Manifest]

    @property
    def failed(self) -> dict[str, str]:
        """Reasons of the datasets that failed."""
        return {n: str(m["reason"]) for n, m in self.manifests.items() if m["status"] == "failed"}

    def document(self) -> dict[str, object]:
        """`prepare --json` and the report of the run."""
        return {
            "run_id": self.run_id,
            "datasets": {name: public(m) for name, m in self.manifests.items()},
        }


def prepare(
    names: list[str],
    *,
    data_root: str | Path,
    processed_dir: str,
    reports_dir: str,
    run_id: str,
    config: PrepareConfig,
    progress: "Progress" = lambda _dataset, _records: None,
) -> PrepareResult:
    """Turn raw sources into prepared datasets.

    Args:
        names: Dataset names, aliases, or `all`.
        data_root: Path or URL of the folder where the raw sources lie.
        processed_dir: Path or URL; gets a folder a dataset.
        reports_dir: Path or URL; gets `<run_id>.json` and `.md`.
        run_id: Name of this run.
        config: Settings; the environment variable JEPA_RAY_ACTOR_SALT overrides the salt.
        progress: Called as blocks finish.

    Returns:
        The manifests. A dataset that failed is there with its reason and counts; the others are
        finished all the same.

    Raises:
        SourceError: No name, an unknown one, one without a source, or no data root.
        UsageError: A folder cannot be written to, or another process is at work in it.
    """
    if not names:
        raise SourceError("no dataset: give `all`, or names separated by commas")
    root = source_folder(data_root)
    salt = os.environ.get("JEPA_RAY_ACTOR_SALT") or config.actor_salt
    config = config.model_copy(update={"actor_salt": salt})
    plans = [make_plan(a, root, processed_dir, config) for a in select(names)]
    named = {adapter.info.dataset for adapter in select(name for name in names if name != "all")}
    refuse_absent([plan for plan in plans if plan.adapter.info.dataset in named], root)
    refuse_imported(plans)
    open_ = [plan for plan in plans if not plan.adapter.info.blocked]
    if "all" in names and open_ and not any(plan.shards for plan in open_):
        raise SourceError(f"no source at all under {root}: is it the right --data-root?")
    for folder in (processed_dir, reports_dir):
        require_writable(folder)
    about = {"verb": "prepare", "run_id": run_id, "dataset": ",".join(names)}
    manifests = _run(plans, config, progress, about)
    result = PrepareResult(run_id, manifests)
    report = join(reports_dir, f"{run_id}.json")
    idle = all(m.get("unchanged") for m in manifests.values())
    if not (idle and exists(report)):  # a run that did nothing keeps the report of one that did
        write_json(report, result.document())
        write_bytes(join(reports_dir, f"{run_id}.md"), run_markdown(run_id, manifests).encode())
    return result


def _run(
    plans: list[Plan], config: PrepareConfig, progress: "Progress", about: dict[str, str]
) -> dict[str, Manifest]:
    """Do what needs doing; the manifests in the order of the plans. Ray starts if it must."""
    with ExitStack() as stack:
        own = session(num_cpus=config.num_cpus, about=about)
        start_ray = cache(lambda: stack.enter_context(own))
        return {plan.dataset: prepare_dataset(plan, config, start_ray, progress) for plan in plans}
