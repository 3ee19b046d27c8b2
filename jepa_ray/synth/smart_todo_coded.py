"""To-do items in coded form: `Spans_ToDo_dataset.tsv`, six columns and CRLF.

True to the real file: words are numbers of a vocabulary (`$810$`), most of them small, among a few
`UNK` and `#NAME#`; two judges wrote for each `UniqueID`, in neighbouring rows and one pair in two
thousand not; both saw the same highlighted span, and one pair in sixty wrote the same. An odd
number of rows ends with an item of one judge.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random

from jepa_ray.synth.output_files import whole_file
from jepa_ray.synth.population import generator

_DATASET = "smart_todo_coded"
_PATH = "smart_todo/data/Coded_Annotations/Spans_ToDo_dataset.tsv"
_COLUMNS = (
    "UniqueID", "data_index", "current_id", "highlight_start", "highlight_end", "to_do_summary",
)  # fmt: skip
_FIRST_ID = 162_996_542
_MAILBOXES, _VOCABULARY = 179, 125_475
_MASKS = ("#NAME#", "#NUMBER#", "#URL#", "#DATE#", "#FILENAME#")
_FIRST_APART, _APART = 50, 2000  # the item whose rows are not neighbours, and how often again


def write(root: Path, seed: int, records: int) -> int:
    """Write one file; return the number of rows less the header."""
    rng = generator(seed, _DATASET)
    with whole_file(root / _PATH) as stream:
        stream.write("\t".join(_COLUMNS).encode() + b"\r\n")
        held_back: str | None = None
        unique_id = _FIRST_ID
        for item in range(records // 2):
            unique_id += rng.choice((1, 1, 1, 2, 40))
            rows = _pair(rng, unique_id, item)
            if item % _APART == _FIRST_APART and item + 1 < records // 2:
                held_back = rows.pop()
            elif held_back:
                rows.append(held_back)
                held_back = None
            stream.writelines(row.encode() + b"\r\n" for row in rows)
        if records % 2:
            stream.write(_pair(rng, unique_id + 1, records // 2)[0].encode() + b"\r\n")
    return records


def _pair(rng: Random, unique_id: int, item: int) -> list[str]:
    """Write the rows of two judges for one span of one mail."""
    begin = min(1400, int(rng.lognormvariate(4.0, 1.1)))
    length = 2 + min(124, int(rng.lognormvariate(2.4, 0.55)))
    mail = f"{rng.randint(1, _MAILBOXES)}-{rng.randint(1, 10**6)}-EM"
    span = [str(unique_id), str(item), mail, str(begin), str(begin + length)]
    said = list(_codes(rng, length))
    one = _summary(rng, said)
    other = one if rng.random() < 1 / 60 else _summary(rng, said)
    return ["\t".join([*span, summary]) for summary in (one, other)]


def _summary(rng: Random, said: list[str]) -> str:
    """Repeat some of what was said, and add words of one's own: 2 to 32 in all."""
    kept = [code for code in said if rng.random() < 0.45][:26]
    return " ".join([*_codes(rng, rng.randint(2, 6)), *kept])


def _codes(rng: Random, count: int) -> Iterator[str]:
    """Draw coded words; a number n is about as likely as 1 / n."""
    for _ in range(count):
        kind = rng.random()
        if kind < 0.0008:
            yield "UNK"
        elif kind < 0.0012:
            yield rng.choice(_MASKS)
        else:
            yield f"${int(_VOCABULARY ** rng.random())}$"
