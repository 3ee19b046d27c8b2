"""Sentences of mails that ask for a task, with who is responsible: `EPADataset.tsv`.

A header, then a key, a tab and a JSON object a line. A mail with several tasks stands in as many
rows. True to the description: `<br/>` fuses sentences, some addresses are those of Notes
(`one.other/HOU/ECT@ECT`), a few people stand in To and Cc at once, the same address comes in
several cases, and a judge may say that nobody is responsible.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from jepa_ray.synth.output_files import whole_file
from jepa_ray.synth.population import Person, generator, people, sentences, words

_DATASET = "epa"
_STAFF = 150
_JUDGES = 12


def write(root: Path, seed: int, records: int) -> int:
    """Write one file; return the number of rows less the header."""
    rows = _rows(seed)
    with whole_file(root / "epa" / "EPADataset.tsv") as stream:
        stream.write(b"Key\tJson\n")
        for number in range(1, records + 1):
            stream.write(b"EPA-%05d\t%b\n" % (number, msgspec.json.encode(next(rows))))
    return records


def _rows(seed: int) -> Iterator[dict[str, Any]]:
    """Write mails without end, a row for each of their tasks."""
    rng = generator(seed, _DATASET)
    staff = [_with_its_address(rng, person) for person in people(rng, _STAFF)]
    stock = sentences(rng, 300)
    email_id = 0
    while True:
        email_id += rng.randint(1, 60)
        sender, to, copied = _correspondents(rng, staff)
        said = rng.choices(stock, k=4 + int(25 * rng.lognormvariate(-0.1, 0.9)))
        mail = {
            "EmailID": str(email_id),
            "Subject": ("RE: " if rng.random() < 0.4 else "") + words(rng, rng.randint(1, 6)),
            "From": _listed(rng, sender),
            "ToRecipients": {"emailAddressList": [_listed(rng, person) for person in to]},
            "CcRecipients": {"emailAddressList": [_listed(rng, person) for person in copied]},
        }
        for place in rng.sample(range(len(said)), k=rng.choice((1, 1, 1, 2, 3))):
            yield mail | {
                "Message": _message(rng, said, place),
                "TaskSentence": said[place],
                "Judgements": _judgements(rng, to, copied),
            }


def _correspondents(
    rng: Random, staff: list[Person]
) -> tuple[Person, tuple[Person, ...], tuple[Person, ...]]:
    """Choose a sender, recipients and those who get a copy; about 2.8 of the latter two."""
    most = 1 + min(20, int(1.4 * rng.lognormvariate(0.1, 0.8)))
    sender, *others = rng.sample(staff, k=1 + most)
    copies = rng.randint(1, most - 1) if most > 1 and rng.random() < 0.4 else 0
    to, copied = others[copies:], others[:copies]
    if rng.random() < 0.04:
        copied.append(to[0])
    return sender, tuple(to), tuple(copied)


def _with_its_address(rng: Random, person: Person) -> Person:
    """Give one person in sixteen an address in the form of Notes."""
    if rng.random() > 1 / 16:
        return person
    return replace(person, address=f"{person.first}.{person.last}".lower() + "/HOU/ECT@ECT")


def _listed(rng: Random, person: Person) -> dict[str, dict[str, str]]:
    """Write somebody as a mail client does; one address in sixteen with capitals."""
    address = person.address.title() if rng.random() < 1 / 16 else person.address
    return {"emailAddress": {"Name": f"{person.last}, {person.first}", "Address": address}}


def _message(rng: Random, said: list[str], place: int) -> str:
    """Join sentences, some fused by a tag, and mark the one that asks for a task."""
    marked = [f"<mark>{s}</mark>" if i == place else s for i, s in enumerate(said)]
    return "".join(s + ("<br/>" if rng.random() < 0.2 else " ") for s in marked).strip()


def _judgements(
    rng: Random, to: tuple[Person, ...], copied: tuple[Person, ...]
) -> list[dict[str, list[str]]]:
    """Let two to five judges say who is responsible; one in eight says nobody."""
    judges = rng.sample(range(1, _JUDGES + 1), k=rng.choice((2, 3, 3, 3, 4, 5)))
    found = []
    for judge in judges:
        group = [rng.choice(to + copied)] if rng.random() < 0.3 else list(to)
        nobody = rng.random() < 0.125
        found.append({f"judge{judge}": [] if nobody else [person.address for person in group]})
    return found
