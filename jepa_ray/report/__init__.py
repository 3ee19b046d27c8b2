"""Pictures of windows, the page and the cards of a run, from files only; no ray, no torch."""

from jepa_ray.report.prepared import PreparedWindow, read_stats, read_window
from jepa_ray.report.window_picture import terminal_picture, write_png
from jepa_ray.report.write import write_report

__all__ = [
    "PreparedWindow",
    "read_stats",
    "read_window",
    "terminal_picture",
    "write_png",
    "write_report",
]
