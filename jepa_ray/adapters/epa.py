"""EPA: sentences of Enron mails that ask for a task, with who judges say is responsible.

Source: Rameshkumar et al.: Assigning people to tasks identified in email, W-NUT 2018 (licence and
citation: docs/sources.md).
A line of EPADataset.tsv is a key, a tab and a JSON object; it becomes one `Activity`. There is no
date, so it is untimed. `text_length` counts the subject and the message less its `<mark>` and
`<br/>` tags. People are told apart by address, case folded: the same one may be in To and Cc.
"""

import re
from typing import Any, ClassVar

from jepa_ray.adapters.base import NotReadableError, SourceInfo
from jepa_ray.adapters.json_values import chars, child, decode_object, encode
from jepa_ray.adapters.record_adapters import LineAdapter
from jepa_ray.readers import RawItem
from jepa_ray.windows import PEOPLE_SCALE, TEXT_CHARS_SCALE, Activity

CONFIDENCE = 0.7
_KEY = re.compile(rb"EPA-\d{1,18}")
_TAG = re.compile(r"</?mark>|<br ?/?>")


class Epa(LineAdapter):
    """Adapter of the dataset `epa`."""

    info: ClassVar = SourceInfo(
        dataset="epa",
        group="mail",
        path="epa/EPADataset.tsv",
        licence="as its repository states; the mails are public record (FERC)",
        how_to_get="https://github.com/RevRameshkumar/EPADataset (EPADataset.tsv, 21 MB, 6,734 "
        "rows)",
        citation="Rameshkumar, Bailey, Jha, Quirk: Assigning people to tasks identified in email: "
        "The EPA dataset for addressee tagging for detected task intent, W-NUT 2018",
    )
    version: ClassVar = 1
    kind: ClassVar = "task_assignment"
    header: ClassVar = b"Key\tJson"

    def activity(self, record: RawItem) -> Activity:
        """One example."""
        key, tab, text = record.data.partition(b"\t")
        if not tab:
            raise NotReadableError("malformed_line", "there is no tab after a key")
        if not _KEY.fullmatch(key):
            raise NotReadableError("bad_key", "the key is not EPA- and a number")
        return self._example(key.decode("ascii"), decode_object(text))

    def _example(self, key: str, mail: dict[str, Any]) -> Activity:
        message, sentence = mail.get("Message"), mail.get("TaskSentence")
        if not isinstance(message, str) or not isinstance(sentence, str):
            detail = "an example needs the strings Message and TaskSentence"
            raise NotReadableError("missing_field", detail)
        sender = _addresses([mail.get("From")])
        candidates = _recipients(mail, "ToRecipients") | _recipients(mail, "CcRecipients")
        people = candidates | set(sender)
        return Activity(
            source_id=key,
            start=None,
            timed=False,
            features={
                "task": 1.0,
                "email_activity": 1.0,
                "participant_count": len(people) / PEOPLE_SCALE,
                "text_length": chars(mail.get("Subject"), _TAG.sub("", message)) / TEXT_CHARS_SCALE,
                "source_confidence": CONFIDENCE,
            },
            actor=self._hash(sender[0]) if sender else 0,
            metadata=_metadata(mail.get("Judgements"), len(candidates), sentence),
        )


ADAPTER = Epa


def _addresses(people: list[Any]) -> list[str]:
    """Addresses as they are compared; Notes names (`x/HOU/ECT@ECT`) too."""
    found = (child(person, "emailAddress", "Address") for person in people)
    return [a.strip().lower() for a in found if isinstance(a, str) and a.strip()]


def _recipients(mail: dict[str, Any], name: str) -> set[str]:
    people = child(mail, name, "emailAddressList")
    return set(_addresses(people)) if isinstance(people, list) else set()


def _metadata(judgements: Any, candidates: int, sentence: str) -> str:
    """How many people could be responsible, and how many each judge said; who stays behind."""
    said = [
        {str(address).lower() for address in addresses}
        for judgement in (judgements if isinstance(judgements, list) else [])
        for addresses in (judgement.values() if isinstance(judgement, dict) else [])
        if isinstance(addresses, list)
    ]
    found = {
        "candidates": candidates,
        "judges": len(said),
        "judges_nobody": sum(not addresses for addresses in said),
        "responsible": len(set().union(*said)),
        "task_chars": len(sentence),
    }
    return encode(found)
