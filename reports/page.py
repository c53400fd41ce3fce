"""Makes one HTML file of a study's records: all sections in `reports/sections/`, in their order.

The page loads nothing: its Content-Security-Policy forbids it. The page's only script is inside it,
and the policy allows it by its hash. Equal records and time give the same page, byte for byte.
"""

import base64
import hashlib
import importlib
import importlib.resources
import itertools
import pkgutil
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any
from urllib.parse import quote

import jinja2
from jinja2.bccache import Bucket
from markupsafe import Markup

from harness.core.text import escape_surrogates, sanitize
from harness.results.records import Records
from harness.results.tables import to_csv
from reports import progress, sections
from reports.content import Data, Link, Panel, Section, Table, Value
from reports.wording import MISSING

SCRIPTS = ("page.js", "explore.js", "index.js", "figures.js")  # one after the other, as one script
REFRESH_S = 15  # after which a running study's page loads itself again


def section_modules() -> list[ModuleType]:
    """The modules of `reports/sections/`, in the order of the page."""
    names = [module.name for module in pkgutil.iter_modules(sections.__path__)]
    modules = [importlib.import_module(f"{sections.__name__}.{name}") for name in names]
    return sorted(modules, key=lambda module: (module.ORDER, module.__name__))


def build_sections(records: Records) -> list[Section]:
    """The sections of the page; those with nothing to show are left out."""
    builders: list[Callable[[Records], Section | None]] = [m.build for m in section_modules()]
    return [section for build in builders if (section := build(records)) is not None]


def render(records: Records, *, now: str, live: bool = False) -> str:
    """The whole page; `now` (ISO 8601) is the time when it is made.

    A `live` page is of a study that runs, and loads itself again.
    """
    return compose(
        "page.html",
        study=records.study,
        source="the study's run directory",
        question=records.manifest.question,
        finished=records.finished,
        sections=build_sections(records),
        progress=progress.sentences(records, now=now, live=live),
        refresh_s=REFRESH_S if live else None,
        now=now,
    )


def compose(template: str, **content: Any) -> str:
    """A page from a template, with the script and its hash for the Content-Security-Policy."""
    folder = importlib.resources.files("reports").joinpath("templates")
    script = "".join(folder.joinpath(name).read_text("utf-8") for name in SCRIPTS)
    content = {"progress": (), "refresh_s": None, **content}
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template(template)
        .render(script=Markup(script), script_hash=digest, **content)
    )


def csv_link(data: Data) -> str:
    """A figure's data as a `data:` link to a CSV file, in which no cell is a formula."""
    import pandas as pd

    table = pd.DataFrame(
        [list(row) for row in data.rows],
        columns=list(map(escape_surrogates, data.columns)),
        dtype=object,
    )
    text = sanitize(to_csv(table))
    return "data:text/csv;charset=utf-8," + quote(text, safe=",;:=/.+-_~()*!")


def short_ids() -> Callable[[Panel], Markup]:
    """A filter for the charts of one page, whose ids become k1-0, k1-1, …, k2-0, …

    Thousands of marks name them.
    """
    numbers = itertools.count(1)

    def chart(panel: Panel) -> Markup:
        place = re.compile(rf'( id="|href="#|url\(#){re.escape(panel.identity)}-(?=\d)')
        number = next(numbers)
        return Markup(place.sub(lambda match: f"{match[1]}k{number}-", panel.svg))

    return chart


def constants(table: Table) -> dict[int, str]:
    """Columns that say the same in every row: by place, what they say; "" where it is nothing.

    The page hides them and says it once, so that wide tables fit; they are in the CSV. Only columns
    of numbers count, and those without any value: a verdict is worth its column.
    """
    found = {}
    for place, column in enumerate(table.columns):
        texts = {getattr(row.cells[place], "text", row.cells[place]) for row in table.rows}
        if place and len(table.rows) > 2 and len(texts) == 1:
            (text,) = texts
            if text in ("", MISSING):
                found[place] = ""
            elif column.numeric:
                found[place] = f"{column.title} {text}"
    return found


class _Compiled(jinja2.BytecodeCache):
    """Templates are compiled once in a process, though each page has an environment of its own."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}  # by name and checksum

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        bytecode_cache=_COMPILED,
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_sanitized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["link"] = lambda value: isinstance(value, Link)
    environment.tests["value"] = lambda value: isinstance(value, Value)
    environment.filters["csv_link"] = csv_link
    environment.filters["chart"] = short_ids()
    environment.filters["constants"] = constants
    return environment


def _sanitized(value: Any) -> Any:
    return value if isinstance(value, Markup) else sanitize(str(value))
