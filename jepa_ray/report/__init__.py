"""Pictures of windows, from prepared files only; no ray, no torch."""

from jepa_ray.report.prepared import PreparedWindow, read_stats, read_window
from jepa_ray.report.window_picture import terminal_picture, write_png

__all__ = ["PreparedWindow", "read_stats", "read_window", "terminal_picture", "write_png"]
