"""Made-up result files of a run or a training, in the forms of docs/report.md."""

import json
import math
from pathlib import Path
from random import Random

from jepa_ray.windows import FEATURES

DATASETS = (
    "calendar_ics_thunderbird", "enron_cornell", "enron_maildir", "enron_snap", "epa", "gharchive",
    "ms_latte", "project_openproject", "project_taiga", "public_jira", "smart_todo_coded",
)  # fmt: skip
BLOCKED = "smart_todo_decoded_gated"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "$x_{1}$ \\frac{1",
    "../../x",
    "nul\0 new\nline \x1b[31m",
    "\u202egnirts \u05e9\u05dc\u05d5\u05dd",
    "long" * 500,
    "a|b`c` [link](http://evil.example) www.evil.example {{ 7*7 }}",
    "",
    "\ud800 lone",
)
SEEDS = tuple(range(2026061101, 2026061107))


def write_run(
    folder, *, datasets=DATASETS, seeds=SEEDS, finished=None, evaluated=True, probed=True
):
    """A confirmation run; `finished`: so many passes only, and no confirmation.json."""
    rng = Random(1)
    reports = [_pass(i, seed, datasets, rng) for i, seed in enumerate(seeds[:finished])]
    _write(folder / "confirm.yaml", {"seeds": list(seeds)})
    for report in reports:
        for i, name in enumerate([*datasets, "combined"]):
            training = "combined" if name == "combined" else f"dataset{i}"
            if name in DATASETS:
                training = name
            end = report["checkpoints"][name]["val_loss"]
            write_metrics(folder / report["pass"] / training, end, rng)
        _write(folder / report["pass"] / "report.json", report)
    write_provenance(folder / "pass01" / "combined", datasets)
    if finished is None:
        _write(folder / "confirmation.json", _confirmation(folder, datasets, reports))
    if evaluated:
        _write(folder / "evaluation.json", _run_evaluation(reports, datasets, rng))
    if probed:
        _write(folder / "probes.json", probes(rng))
    return folder


def write_training(folder, *, datasets=DATASETS[:3], evaluated=True, probed=True):
    """A single training."""
    rng = Random(2)
    write_metrics(folder, 0.0123, rng)
    write_provenance(folder, datasets)
    (folder / "schedule_jepa.pt").write_bytes(b"")
    if evaluated:
        _write(folder / "evaluation.json", evaluation(datasets, rng))
    if probed:
        _write(folder / "probes.json", probes(rng))
    return folder


def write_prepared(folder, datasets=DATASETS):
    """manifest.json and stats.json of prepared datasets."""
    for i, name in enumerate(datasets):
        manifest = {
            "contract_version": 1, "dataset": name, "status": "completed", "reason": None,
            "windowing": "record", "records": 1200 * (i + 1), "windows": 1190 * (i + 1),
            "expanded": 0, "distinct_windows": 400 + i, "skipped": {"no_date": 8},
            "quarantined": {"malformed": 2}, "fingerprint": f"{i:032x}", "code_version": "0.1.0",
            "adapter_version": 1,
        }  # fmt: skip
        features = {f: {"min": 0, "mean": 0.1, "std": 0.2, "max": 1, "nonzero_share": 0.3}
                    for f in FEATURES}  # fmt: skip
        stats = {"entropy_bits": 7.43, "earliest": "2025-01-01T00:00:00",
                 "latest": "2027-12-31T00:00:00", "features": features}  # fmt: skip
        _write(folder / name / "manifest.json", manifest)
        _write(folder / name / "stats.json", stats)
    return folder


def write_metrics(folder, end, rng):
    """Six validations, from untrained to the end."""
    rows = []
    for i in range(6):
        loss = 1.05 * (end / 1.05) ** (i / 5) * rng.uniform(0.9, 1.1)
        skill = -8.0 if i == 0 else 0.6 * (1 - math.exp(-i)) + rng.uniform(-0.02, 0.02)
        rows.append({"step": i * 200, "train_loss": loss if i else None, "val_loss": loss,
                     "skill": skill, "rankme": 4 + 3 * i, "slot_std": 0.4})  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))


def write_provenance(folder, datasets):
    """provenance.json of a training."""
    _write(folder / "provenance.json", {
        "code_version": "0.1.0", "torch_version": "2.13.0+cpu", "ray_version": "2.60.0",
        "contract_version": 1, "objective": "jepa", "precision": "fp32", "device": "cpu",
        "workers": 1, "train_windows": 70_000, "val_windows": 7_800,
        "split": {"mode": "random_resplit", "seed": 2026061101, "val_fraction": 0.1, "cut": None},
        "datasets": {name: f"{i:032x}" for i, name in enumerate(datasets)},
        "created_utc": "2026-11-24T12:49:31+00:00",
    })  # fmt: skip


def _pass(i, seed, datasets, rng):
    order = rng.sample(datasets, len(datasets))
    checkpoints = {
        name: {
            "path": f"/runs/six/pass{i + 1:02d}/{name}/schedule_jepa.pt",
            "val_loss": rng.uniform(0.008, 0.018), "train_loss": 0.02, "untrained_loss": 1.05,
            "skill": rng.uniform(0.2, 0.6), "rankme": rng.uniform(15, 20), "untrained_rankme": 4.2,
            "slot_std": 0.5, "untrained_slot_std": 0.3, "cosine_to_mean": 0.6,
            "collapsing": False, "steps": 1000, "train_windows": 1071 * (j + 1),
            "val_windows": 119 * (j + 1), "seconds": 61.0,
        }
        for j, name in enumerate([*datasets, "combined"])
    }  # fmt: skip
    losses = dict.fromkeys(datasets, 1.05)
    legs = [{"dataset": None, "step": 0, "losses": dict(losses), "skills": dict.fromkeys(losses)}]
    for j, name in enumerate(order):
        losses = {k: v * rng.uniform(0.5, 1.15) for k, v in losses.items()}
        losses[name] = rng.uniform(0.008, 0.02)
        legs.append({"dataset": name, "step": 90 * (j + 1), "losses": dict(losses), "skills": {}})
    return {
        "pass": f"pass{i + 1:02d}", "seed": seed, "order": order, "train_windows": 70_686,
        "val_windows": 7_854, "train_loss": 0.0204, "val_loss": checkpoints["combined"]["val_loss"],
        "checkpoints": checkpoints, "legs": legs, "device": "cpu", "workers": 1,
        "code_version": "0.1.0", "started_utc": "2026-11-24T12:00:00+00:00",
        "ended_utc": "2026-11-24T12:12:00+00:00", "seconds": 720.0,
    }  # fmt: skip


def spread(mean, half, n=6):
    """A number over seeds."""
    return {"mean": mean, "std": half, "low": mean - half, "high": mean + half, "n": n}


def _confirmation(folder, datasets, reports):
    states = {
        name: {"status": "trained", "reason": None, "windows": 1190 * (i + 1),
               "fingerprint": f"{i:032x}"}
        for i, name in enumerate(datasets)
    }  # fmt: skip
    states[BLOCKED] = {"status": "blocked", "reason": "needs Avocado access", "windows": 0,
                       "fingerprint": None}  # fmt: skip
    everything = ["combined", *datasets]
    return {
        "format_version": 1, "run_id": "six", "processed_dir": str(folder.parent / "windows"),
        "preset": "robust", "mixing": "sequential", "steps": 1000, "batch_size": 32,
        "seeds": [r["seed"] for r in reports], "datasets": states, "passes": reports,
        "spread": {n: {"val_loss": spread(0.012 + 0.001 * i, 0.0016), "skill": spread(0.4, 0.05),
                       "rankme": spread(17, 1)} for i, n in enumerate(everything)},
        "forgetting": {n: {"learned": spread(0.014, 0.002), "final": spread(0.05 + 0.04 * i, 0.01),
                           "forgetting": spread(0.036 + 0.04 * i, 0.06)}
                       for i, n in enumerate(datasets)},
        "code_version": "0.1.0", "started_utc": "2026-11-24T12:00:00+00:00",
        "ended_utc": "2026-11-24T13:12:00+00:00", "seconds": 4320.0,
    }  # fmt: skip


def _run_evaluation(reports, datasets, rng):
    passes = {r["pass"]: evaluation(datasets, rng) for r in reports}
    for name in list(passes)[1:]:
        del passes[name]["map"], passes[name]["examples"]
    one = passes["pass01"]
    return {
        "format_version": 1, "run_id": "six", "passes": passes,
        "spread": {"loss": spread(0.01234, 0.0009), "untrained_loss": spread(1.0487, 0.003),
                   "reduction": spread(0.9882, 0.0009), "skill": spread(0.412, 0.031),
                   "rankme": spread(18.2, 1.1), "untrained_rankme": spread(4.3, 0.2),
                   "slot_std": spread(0.52, 0.03), "untrained_slot_std": spread(0.27, 0.01),
                   "cosine_to_mean": spread(0.62, 0.02), "cka_with_untrained": spread(0.47, 0.02)},
        "datasets": {n: {"loss": spread(0.012, 0.001), "skill": spread(d["skill"], 0.06)}
                     for n, d in one["datasets"].items()},
        "baselines": {n: {"loss": spread(b["loss"], 0.004), "skill": spread(b["skill"], 0.02)}
                      for n, b in one["baselines"].items()},
        "by_mask": {n: {"skill": spread(m["skill"], 0.04)} for n, m in one["by_mask"].items()},
        "by_distance": [{"from": d["from"], "to": d["to"], "skill": spread(d["skill"], 0.03)}
                        for d in one["by_distance"]],
        "controls": {n: {"value": spread(c["value"], 0.02), "passed": 6, "judged": 6}
                     for n, c in one["controls"].items()},
        "status": "learned", "warnings": [],
        "verdict": "learned: loss 0.0123 against 1.0487 untrained, skill 0.412",
    }  # fmt: skip


def evaluation(datasets, rng, *, status="learned"):
    """evaluation.json of one checkpoint."""
    near = lambda value, half: [value - half, value + half]  # noqa: E731
    monitors = {"loss": 0.0123, "skill": 0.41, "slot_std": 0.52, "rankme": 18.3,
                "cosine_to_mean": 0.61}  # fmt: skip
    fresh = {"loss": 1.0487, "skill": -8.2, "slot_std": 0.29, "rankme": 4.3, "cosine_to_mean": 0.94}
    skills = [rng.uniform(-0.4, 0.6) for _ in datasets]
    if skills:
        skills[0] = -308.9
    parts = {n: monitors | {"windows": 800, "skill": s, "loss": 0.012,
                            "skill_interval": near(s, 0.08), "loss_interval": near(0.012, 0.001)}
             for n, s in zip(datasets, skills, strict=True)}  # fmt: skip
    levels = lambda x: {  # noqa: E731
        "global": {"rankme": 18.3 * x, "participation_ratio": 9.1 * x, "cosine_to_mean": 0.6},
        "slot": {"std": 0.5 * x, "positional_share": 0.2},
        "dimension": {"std": [0.5] * 64, "dead": 0},
        "actor": {"between": 0.2, "within": 0.3, "ratio": 0.4, "chance": 0.037, "actors": 120},
    }
    return {
        "format_version": 1, "checkpoint": "/runs/six/pass01/combined/schedule_jepa.pt",
        "windows": 3200, "batches": 100, "batch_size": 32, "seed": 0, "trained": monitors,
        "untrained": fresh, "reduction": 0.98827, "cka_with_untrained": 0.48, "datasets": parts,
        "status": status, "verdict": f"{status}: loss 0.0123 against 1.0487", "warnings": [],
        "intervals": {"loss": near(0.0123, 0.0008), "skill": near(0.41, 0.03),
                      "reduction": near(0.98827, 0.001), "untrained_loss": near(1.0487, 0.002)},
        "by_mask": {k: {"loss": 0.01, "skill": s, "skill_interval": near(s, 0.04), "windows": 800}
                    for k, s in (("span", 0.38), ("blocks", 0.47), ("future", 0.22),
                                 ("random", 0.71))},
        "by_distance": [{"from": a, "to": b, "loss": 0.01, "skill": s,
                         "skill_interval": near(s, 0.03), "slots": 9000}
                        for a, b, s in ((1, 1, 0.74), (2, 2, 0.6), (3, 4, 0.5), (5, 8, 0.36),
                                        (9, 16, 0.2), (17, 32, 0.06))],
        "baselines": {k: {"loss": v, "skill": 1 - v / 0.021, "loss_interval": near(v, 0.0006)}
                      for k, v in (("model", 0.0123), ("global_mean", 0.9), ("slot_mean", 0.021),
                                   ("nearest_visible", 0.017), ("ridge_context", 0.0142))},
        "collapse": {"trained": levels(1.0), "untrained": levels(0.3)},
        "spectrum": {"trained": [0.93**i for i in range(64)],
                     "untrained": [0.6**i for i in range(64)]},
        "referee": {"pca64": {"trained": 0.31, "untrained": 0.44},
                    "frozen_random": {"trained": 0.28, "untrained": 0.33}},
        "controls": {k: {"value": v, "interval": near(v, 0.02), "expected": e, "passed": True,
                         "sentence": s}
                     for k, v, e, s in (
                         ("white_noise", -0.05, "skill <= 0", "Windows of noise."),
                         ("shuffled_slots", 0.02, "skill falls", "Slots in random order."),
                         ("constant_day", -0.2, "skill > 0 (told, not judged)", "It sees."),
                         ("wrong_window", 1.4, "loss rises by 10 %", "Context of another."))},
        "sample": {"windows": 3200, "distinct": 1870, "effective": 1203.4},
        "map": _map(datasets, rng),
        "examples": [_example(n, rng) for n in datasets[:12]], "seconds": 14.2,
    }  # fmt: skip


def _map(datasets, rng):
    of = [i % max(1, len(datasets)) for i in range(600)]
    return {"x": [rng.gauss(math.cos(k * 2.4) * (1 + 0.5 * k), 0.5) for k in of],
            "y": [rng.gauss(math.sin(k * 2.4) * (1 + 0.5 * k), 0.5) for k in of],
            "dataset": of, "names": list(datasets), "explained": [0.31, 0.17]}  # fmt: skip


def _example(name, rng):
    start = rng.randrange(10, 50)
    hidden = list(range(start, start + 38))
    busy = set(rng.sample(range(96), 20))
    dense = [[round(s / 95, 3)] * 2 + [round(rng.random(), 3) if s in busy else 0.0
             for _ in range(13)] + [0.0] for s in range(96)]  # fmt: skip
    return {"dataset": name, "window_uid": "00000000000007ab", "dense": dense, "hidden": hidden,
            "error": [abs(rng.gauss(0, 0.3)) for _ in hidden]}  # fmt: skip


def probes(rng):
    """probes.json."""
    arms = {
        "prior": 0.5,
        "raw_linear": 0.71,
        "raw_trees": 0.78,
        "pca64": 0.7,
        "random64": 0.68,
        "untrained": 0.69,
        "ours": 0.8,
        "ours_raw_trees": 0.81,
        "wrong_window": 0.51,
    }
    names = (("part_of_day", True), ("weekday_or_weekend", False), ("late_or_not", True))

    def task(key, wins):
        shift = 0 if wins else -0.08
        scores = {k: {"score": v + (shift if k == "ours" else 0),
                      "interval": [v - 0.02 + (shift if k == "ours" else 0), v + 0.03]}
                  for k, v in arms.items()}  # fmt: skip
        return {
            "label": f"Tell the {key.replace('_', ' ')} of a window", "metric": "roc_auc",
            "higher_is_better": True, "train": 4000, "test": 1000, "groups": 300,
            "split": "By actor, then by time.", "arms": scores,
            "differences": {k: {"difference": 0.8 + shift - v, "interval": [0.77 + shift - v,
                                0.83 + shift - v], "p": 0.003, "p_holm": 0.009}
                            for k, v in arms.items() if k not in {"ours", "ours_raw_trees"}},
            "added_value": {"difference": 0.03, "interval": [0.01, 0.05], "p": 0.01},
            "wins": wins,
            "sentence": "Our embeddings win." if wins else "Our embeddings do not win: trees on "
            "the raw window are as good.",
        }  # fmt: skip

    tasks = {k: task(k, w) for k, w in names}
    tasks["reidentification"] = task("reidentification", False)
    return {
        "format_version": 1, "checkpoints": ["/runs/six/pass01/combined/schedule_jepa.pt"],
        "windows": 5000, "tasks": tasks,
        "skipped": {"holiday": "one class only"},
        "verdict": "Our embeddings win 2 of 3 tasks.", "seconds": 9.0 + rng.random(),
    }  # fmt: skip


def _write(file, document):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document))


def main():
    """A run to look at: `python tests/report/made_results.py FOLDER`."""
    import sys

    folder = Path(sys.argv[1])
    write_prepared(folder / "windows")
    write_run(folder / "six")
    write_run(folder / "two", finished=2, probed=False)
    write_training(folder / "one")
    write_run(folder / "hostile", datasets=HOSTILE)


if __name__ == "__main__":
    main()
