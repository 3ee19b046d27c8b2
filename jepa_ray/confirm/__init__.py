"""Six seeded passes as Ray Tune trials, and the proof that they are whole."""

from jepa_ray.confirm.order import pass_order
from jepa_ray.confirm.run import confirm

__all__ = ["confirm", "pass_order"]
