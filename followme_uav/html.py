"""HTML pages from Jinja2 templates."""

from __future__ import annotations

from pathlib import Path


def render(template: Path, **values: object) -> str:
    """Fill a template; values are escaped, and a name that has no value is an error.

    Call `require("jinja2", "report", ...)` before the work that the page reports.

    Args:
        template: file with the template, which can include other files of its folder.
        values: by their names in the template.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template.name).render(values)
