"""Records of a study → one HTML file: sections found by listing their package, then composed.

The page loads nothing (its Content-Security-Policy forbids it), runs no script, and is the same
byte for byte for the same records and time.
"""

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import Any

import jinja2
from markupsafe import Markup

from harness.runs import Records
from reports import sections, wording
from reports.content import Link, Section


def section_modules() -> list[ModuleType]:
    """The modules of `reports/sections/`, in the order of the page."""
    names = [module.name for module in pkgutil.iter_modules(sections.__path__)]
    modules = [importlib.import_module(f"{sections.__name__}.{name}") for name in names]
    return sorted(modules, key=lambda module: (module.ORDER, module.__name__))


def build_sections(records: Records) -> list[Section]:
    """What each section has to say; those with nothing are left out."""
    builders: list[Callable[[Records], Section | None]] = [m.build for m in section_modules()]
    return [section for build in builders if (section := build(records)) is not None]


def render(records: Records, *, now: str) -> str:
    """The whole page; `now` (ISO 8601) is when it was made."""
    template = templates().get_template("page.html")
    return template.render(
        study=records.study,
        question=records.manifest.get("question") or "",
        finished=records.finished,
        sections=build_sections(records),
        now=now,
    )


def templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["link"] = lambda value: isinstance(value, Link)
    return environment


def _inert(value: Any) -> Any:
    return value if isinstance(value, Markup) else wording.inert(str(value))
