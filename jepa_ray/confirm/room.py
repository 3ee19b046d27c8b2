"""How many passes a cluster holds at once.

A pass is a fit, and a fit is a group of equal workers that Ray places all together or not at all:
so as many passes fit as the nodes have places for workers, divided by the workers of a pass. A
trial beside them takes no CPU (docs/decisions/0013-passes-as-trials.md).
"""

from collections.abc import Mapping, Sequence

from jepa_ray.errors import ConfigError
from jepa_ray.train.device import Placement


def passes_at_once(
    nodes: Sequence[Mapping[str, float]], placement: Placement, *, wanted: int, most: int | None
) -> int:
    """Passes that run side by side: all of them can be placed, so none waits for another.

    Args:
        nodes: Resources of each living node, as Ray names them: `CPU`, `GPU`.
        placement: Of a pass.
        wanted: Passes there are.
        most: At most so many; None: no bound.

    Raises:
        ConfigError: Not even one fits.
    """
    places = sum(_places(node, placement) for node in nodes)
    if places < placement.fewest:
        held = ", ".join(f"{n.get('CPU', 0):g} CPU(s) {n.get('GPU', 0):g} GPU(s)" for n in nodes)
        on_gpu = " and a GPU" if placement.device == "cuda" else ""
        raise ConfigError(
            f"a pass needs {placement.fewest} worker(s), each with {placement.threads} CPU(s)"
            f"{on_gpu} of one node; the nodes hold {held}; set fewer train.workers or train.threads"
        )
    fitting = max(1, places // placement.workers)
    return min(fitting, wanted, most or fitting)


def _places(node: Mapping[str, float], placement: Placement) -> int:
    by_cpu = int(node.get("CPU", 0) // placement.threads)
    return min(by_cpu, int(node.get("GPU", 0))) if placement.device == "cuda" else by_cpu
