"""The page: one HTML file that needs nothing else, and no script."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from jepa_ray.report.results import Results
from jepa_ray.report.sections import chapters
from jepa_ray.report.text import clean


def render(results: Results) -> str:
    """The page of what was found.

    Args:
        results: From `open_results`.

    Returns:
        HTML; the same results give the same text.
    """
    environment = Environment(
        loader=PackageLoader("jepa_ray.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    kind = "Confirmation run" if results.is_run else "Training"
    return environment.get_template("page.html.j2").render(
        title=f"{kind} {clean(results.name, 80)}",
        kind=kind,
        name=clean(results.name, 80),
        sections=chapters(results),
    )
