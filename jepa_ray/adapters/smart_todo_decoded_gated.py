"""SmartToDo with its words: blocked, for the mails are of the licensed Avocado collection.

Source: https://catalog.ldc.upenn.edu/LDC2015T03 (licence and citation: docs/sources.md).
The coded rows are the dataset `smart_todo_coded`.
"""

from typing import ClassVar

from jepa_ray.adapters.base import SourceInfo
from jepa_ray.adapters.blocked import Blocked


class SmartTodoDecodedGated(Blocked):
    """Adapter of the dataset `smart_todo_decoded_gated`."""

    info: ClassVar = SourceInfo(
        dataset="smart_todo_decoded_gated",
        group="tasks",
        path="-",
        licence="LDC2015T03: Avocado organisational licence and end user agreement",
        how_to_get="https://catalog.ldc.upenn.edu/LDC2015T03, then src/decode_data.sh of "
        "https://github.com/MSR-LIT/SmartToDo",
        citation="Oard, Webber, Kirsch, Golitsynskiy: Avocado Research Email Collection, LDC 2015",
        blocked="needs Avocado access: the LDC gives it to those who sign its two agreements",
    )
    version: ClassVar = 1


ADAPTER = SmartTodoDecodedGated
