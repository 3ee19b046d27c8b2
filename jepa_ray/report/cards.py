"""The model card in Markdown, from result files only.

A part whose file is absent or wrong says so in a sentence, as on the page.
"""

from collections.abc import Callable, Iterator, Sequence

from jepa_ray.report import forms, reference
from jepa_ray.report.measured import (
    loss,
    of_width,
    overall,
    skill,
    where,
    whole,
    width,
    with_key,
)
from jepa_ray.report.results import Results, Wrong, unforeseen
from jepa_ray.report.sections.probes import OURS, arm, rival, score
from jepa_ray.report.sections.provenance import commands_again
from jepa_ray.report.sections.tables import passes_of, spreads, states_of, windows_of
from jepa_ray.report.text import NONE, count, estimate, file_name, markdown, percent

_LIMITS = (
    (
        "The embeddings describe when things happen on a day and how much of them, not what they "
        "are about: windows hold no text and no names."
    ),
    "A low loss is no proof: read skill, RankMe and the probes beside it.",
    (
        "The windows come from a few public sources (holiday calendars, mail of one company, issue "
        "trackers, code hosting); other people's days differ."
    ),
    "Nothing here measures whether a schedule that is made with it is any better.",
)


def model_card(results: Results) -> str:
    """model_card.md of a run or training."""
    parts: tuple[tuple[str, Callable[[Results], Iterator[str]]], ...] = (
        ("What it is", _what),
        ("Verdict", _verdict),
        ("Data", _data),
        ("Recipe and splits", _recipe),
        ("Results", _results),
        ("Results by dataset", _by_dataset),
        ("Probes", _probes),
        ("Limits", _limits),
        ("How to load", _load),
        ("Licence and provenance", _licence),
    )
    lines = [f"# Model card: {markdown(results.name, 80)}"]
    for title, part in parts:
        lines += ["", f"## {title}", "", *said(part, results)]
    return "\n".join([*lines, ""])


def said(part: Callable[[Results], Iterator[str]], results: Results) -> list[str]:
    """Lines of a part; a sentence in place of what cannot be read."""
    lines: list[str] = []
    try:
        lines.extend(part(results))
    except Wrong as error:
        lines.append(f"This part cannot be shown. {markdown(error)}")
    except Exception as error:  # noqa: BLE001 - as on the page
        lines.append(f"This part cannot be shown. {markdown(unforeseen(error))}")
    return lines


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> Iterator[str]:
    """A table; its cells are Markdown already, the first `words` columns stand on the left."""
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "|".join("---" if i < words else "---:" for i in range(len(columns))) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _what(results: Results) -> Iterator[str]:
    numbers = width(results)
    embedding = f"one embedding of {numbers} numbers" if numbers else "one embedding"
    yield (
        "A joint-embedding predictive architecture (JEPA) over schedule windows: a day of 96 "
        f"quarter-hour slots with 16 features each becomes {embedding}, and one for each slot. It "
        "was trained to predict embeddings of hidden slots from visible ones."
    )


def _verdict(results: Results) -> Iterator[str]:
    found = whole(results)
    if found is None:
        yield "Not evaluated yet: `jepa-ray evaluate` does it."
        return
    judged = found.read(forms.Judged)
    yield f"**{markdown(judged.status, 40)}**. {markdown(judged.verdict)}"
    if not results.finished:
        yield ""
        yield f"The run goes on: {len(results.passes)} of {results.expected} passes are finished."


def _data(results: Results) -> Iterator[str]:
    states = states_of(results)
    first = next(iter(passes_of(results).values()), None)
    rows: list[tuple[str, ...]] = []
    for key, state in states.items():
        one = first.checkpoints.get(key) if first else None
        rows.append(
            (
                f"[{markdown(key, 48)}](datasets/{file_name(key)}.md)",
                state_words(state),
                count(windows_of(results, key, state)),
                count(one.train_windows if one else None),
                count(one.val_windows if one else None),
            )
        )  # fmt: skip
    if not results.is_run and results.provenance is not None:
        sides = results.provenance.read(forms.Provenance)
        rows.append(("all", "", NONE, count(sides.train_windows), count(sides.val_windows)))
    yield from table(("dataset", "status", "windows", "training", "validation"), rows, 2)


def state_words(state: forms.DatasetState) -> str:
    """What became of a dataset, and why."""
    reason = f": {markdown(state.reason, 300)}" if state.reason else ""
    return f"{markdown(state.status, 20)}{reason}"


def _recipe(results: Results) -> Iterator[str]:
    rows = []
    if results.confirmation is not None:
        found = results.confirmation.read(forms.Overall)
        rows += [
            ("preset", markdown(found.preset or NONE, 48)),
            ("mixing of the datasets", markdown(found.mixing or NONE, 48)),
            ("steps a training", count(found.steps)),
            ("batch size", count(found.batch_size)),
            ("seeds, one a pass", ", ".join(str(s) for s in found.seeds[:40]) or NONE),
        ]
    if results.provenance is not None:
        one = results.provenance.read(forms.Provenance)
        split = ", ".join(
            f"{markdown(k, 48)} {markdown(v, 48)}" for k, v in list(one.split.items())[:8]
        )
        rows += [
            ("objective", markdown(one.objective or NONE, 48)),
            ("split", split or NONE),
            ("training windows", count(one.train_windows)),
            ("validation windows", count(one.val_windows)),
        ]
    yield from table(("setting", "value"), rows, 2) if rows else ("Not recorded.",)


def _results(results: Results) -> Iterator[str]:
    if whole(results) is None:
        yield "Not evaluated yet: `jepa-ray evaluate` does it."
        return
    found = overall(results)
    ref = {
        "loss": f"{reference.FINAL_LOSS}",
        "untrained_loss": f"{reference.UNTRAINED_LOSS}",
    }
    names = (
        ("loss", "loss"), ("loss, untrained", "untrained_loss"), ("skill", "skill"),
        (f"RankMe{of_width(results)}", "rankme"), ("RankMe, untrained", "untrained_rankme"),
        ("per-slot std", "slot_std"), ("per-slot std, untrained", "untrained_slot_std"),
    )  # fmt: skip
    rows = [
        (label, estimate(found.get(key)), ref.get(key, reference.NOT_REPORTED))
        for label, key in names
    ]
    known = found.get("reduction")
    ours = percent(known.value) if known else NONE
    rows.append(("loss reduced by", ours, percent(reference.REDUCTION)))
    yield from table(("number", "this run", "reference run"), rows)
    yield ""
    yield f"{where(results)} On held-out windows."


def _by_dataset(results: Results) -> Iterator[str]:
    source = with_key(results, "datasets")
    over_seeds = spreads(results)
    if source is not None:
        parts = source.read(forms.ByDataset).datasets
        rows = [(markdown(k, 48), estimate(loss(p)), estimate(skill(p))) for k, p in parts.items()]
        yield from table(("dataset", "loss", "skill"), rows)
    elif over_seeds:
        rows = [(markdown(k, 48), estimate(a), estimate(b)) for k, (a, b) in over_seeds.items()]
        yield from table(("dataset", "validation loss", "skill"), rows)
    else:
        yield "Not evaluated yet: `jepa-ray evaluate` does it."


def _probes(results: Results) -> Iterator[str]:
    if results.probes is None:
        yield "Not tested yet: `jepa-ray probe` does it."
        return
    found = results.probes.read(forms.Probes)
    rows = []
    for key, task in found.tasks.items():
        best = rival(task)
        other = f"{estimate(score(task, best))} ({markdown(arm(best), 48)})" if best else NONE
        rows.append(
            (markdown(key, 48), markdown(task.sentence), estimate(score(task, OURS)), other)
        )
    yield from table(("task", "finding", "our embeddings", "best simpler way"), rows, 2)
    if found.verdict:
        yield ""
        yield markdown(found.verdict)


def _limits(_: Results) -> Iterator[str]:
    yield from (f"- {line}" for line in _LIMITS)


def _load(results: Results) -> Iterator[str]:
    inside = "pass01/combined/" if results.is_run else ""
    yield "    import jepa_ray"
    yield f'    model = jepa_ray.load("{inside}schedule_jepa.pt")  # a path or URL'
    yield f"    model.embed(windows)  # float32 [B, 96, 16] -> float32 [B, {width(results) or 'D'}]"


def _licence(results: Results) -> Iterator[str]:
    yield (
        "The code is Apache-2.0. The raw datasets have licences of their own: `jepa-ray sources` "
        "lists them. The checkpoints hold no raw data."
    )
    yield ""
    yield "Made by:"
    yield ""
    yield from (f"    {line}" for line in commands_again(results))
