"""README, CONTRIBUTING and `docs/`: links, commands, paths and examples are right."""

import importlib
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import optuna
import pytest
import typer
from document_testing import PAGES, README, ROOT, blocks, template, text_of
from report_testing import write_run
from toys import SPACE

from harness import datasets, pruners, report, samplers
from harness.commands import verbs
from harness.contest import command as contest
from harness.datasets.base.dataset import SPLITS
from harness.profile import command as profile
from harness.results.records import read_records
from harness.spec import study_files
from harness.study import command as study
from harness.study.options import Options
from harness.study.plan import plan
from reports import page as report_page
from reports import sections

MAX_README = 7_000  # bytes
MAX_LINE = 100  # characters; the rows of a table can't be wrapped

MODULES: dict[str, Any] = {
    name: typer.main.get_command(module.app)
    for name, module in (
        ("study", study),
        ("profile", profile),
        ("report", report),
        ("contest", contest),
    )
}
VERBS: dict[str, Any] = typer.main.get_command(verbs.app).commands  # type: ignore[attr-defined]
ENDS = ("&&", "&", "|", ";")  # of a command on a line with others

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


# --- what the pages contain ------------------------------------------------------------------


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    text = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^    .*$", "", text, flags=re.MULTILINE) if page == README else text


def spans(page: Path) -> list[str]:
    """The code within sentences and tables."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(page))]


def shell_lines(page: Path) -> list[str]:
    """Lines of shell commands, in blocks of their own and within sentences."""
    found = "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    if page == README:
        found += re.findall(r"^    (.+)$", text_of(page), re.MULTILINE)
    return found + [span for span in spans(page) if " " in span]


def commands(page: Path) -> Iterator[tuple[Any, list[str]]]:
    """Each command of ours: its Typer command and its arguments."""
    for line in shell_lines(page):
        if "harness" not in line:
            continue
        words = [
            part
            for word in shlex.split(line, comments=True)
            for part in (shlex.split(word) if "python -m harness" in word else [word])
        ]
        for index, word in enumerate(words):
            end = next((i for i, each in enumerate(words) if i > index and each in ENDS), None)
            arguments = words[index + 1 : end]
            if word.startswith("harness.") and words[index - 1] == "-m":
                yield MODULES[word.removeprefix("harness.")], arguments
            elif word == "harness" and arguments and (index == 0 or words[index - 1] in ENDS):
                yield VERBS[arguments[0]], arguments[1:]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def options(command: Any) -> set[str]:
    return {name for each in command.params for name in (*each.opts, *each.secondary_opts)}


# --- links -----------------------------------------------------------------------------------


@by_page
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    for link in links:
        if link.startswith("https://"):
            continue
        target, _, anchor = link.partition("#")
        file = page.parent / target if target else page
        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


def test_readme_is_short_and_leads_to_every_page() -> None:
    assert len(README.read_bytes()) <= MAX_README
    for page in PAGES:
        if page != README:
            assert f"]({page.relative_to(ROOT).as_posix()})" in text_of(README), page.name


@by_page
def test_lines_are_short(page: Path) -> None:
    long = [line for line in text_of(page).splitlines() if len(line) > MAX_LINE]
    assert [line for line in long if not line.startswith("|")] == []


# --- commands --------------------------------------------------------------------------------


@by_page
def test_commands_parse(page: Path) -> None:
    for command, arguments in commands(page):
        if not arguments:
            continue  # only named
        context = command.make_context("harness", list(arguments))
        name = context.params.get("name")
        if command in (MODULES["study"], VERBS["study"]) and name and "." not in name:
            assert name in study_files.names(), arguments


def test_commands_are_found() -> None:
    found = [command.name for page in PAGES for command, _ in commands(page)]
    assert set(found) >= {*MODULES, *VERBS} - {"list"}
    assert len(found) > 40


def test_a_wrong_option_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Run `python -m harness.study lstm_depth --trails 3` now.")
    ((command, arguments),) = commands(page)
    with pytest.raises(Exception, match="No such option"):
        command.make_context("harness", arguments)


def test_the_check_runs_what_the_readme_says() -> None:
    lines = re.findall(r'^grep -qxF "(.+)" README.md$', text_of(ROOT / ".ci" / "run"), re.MULTILINE)
    assert len(lines) == 2
    assert set(lines) <= set(text_of(README).splitlines())


@by_page
def test_options_in_sentences_exist(page: Path) -> None:
    known = {"--help"}.union(*map(options, [*MODULES.values(), *VERBS.values()]))
    scripts = {word for line in shell_lines(page) for word in line.split() if ".py" in word}
    sources = [text_of(ROOT / word) for word in scripts if (ROOT / word).is_file()]
    for span in spans(page):
        if re.match(r"--?\w", span):
            option = re.split(r"[ =]", span)[0]
            assert option in known or any(f'"{option}"' in source for source in sources), span


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("usage", {*study_files.names(), *options(MODULES["study"]), *VERBS}),
        ("cost", options(MODULES["profile"]) - options(MODULES["study"]) - {"name"}),
        ("your-own-study", set(datasets.names())),
        ("search-methods", {*samplers.names(), *pruners.names()}),
        ("architecture", {file.name for file in (ROOT / "harness").glob("[a-z]*")}),
    ],
)
def test_a_page_names_them_all(page: str, names: set[str]) -> None:
    words = set(re.findall(r"[\w.-]+", text_of(ROOT / "docs" / f"{page}.md")))
    assert names - {"name"} - words == set()


# --- files and modules -----------------------------------------------------------------------


@by_page
def test_files_and_modules_exist(page: Path) -> None:
    words = {word for span in spans(page) for word in span.split()}
    words |= {word for line in shell_lines(page) for word in line.split()}
    for word in words:
        if re.fullmatch(r"(harness|reports|studies|tests|docs|\.ci)/[a-z][\w./-]*", word):
            assert (ROOT / word).exists(), word
        if re.fullmatch(r"harness(\.\w+)+", word):
            assert _exists(word), word


def _exists(dotted: str) -> bool:
    """Whether there is such a module, or such a name in a module."""
    file = ROOT.joinpath(*dotted.split("."))
    if file.is_dir() or file.with_suffix(".py").is_file():
        return True
    module, _, name = dotted.rpartition(".")
    return hasattr(importlib.import_module(module), name)


# --- examples --------------------------------------------------------------------------------

STUDIES = [
    (page, block)
    for page in PAGES
    for block in blocks(page, "python")
    if "\nstudy = Study(" in block
]


@pytest.mark.parametrize(("page", "code"), STUDIES, ids=[page.name for page, _ in STUDIES])
def test_studies_load_and_plan(page: Path, code: str, tmp_path: Path) -> None:
    file = tmp_path / "shown.py"
    file.write_text(code, encoding="utf-8")
    declaration = study_files.load(str(file))
    assert declaration.question.endswith("?")
    text = plan(Options(name=str(file), runs=tmp_path))
    for arm in declaration.study.arms():
        assert arm.name in text


def test_the_readme_has_a_study() -> None:
    assert README in [page for page, _ in STUDIES]


@pytest.fixture
def added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A template of CONTRIBUTING as a module of its package; the module's name."""
    package, path = request.param
    file = tmp_path / Path(path).name
    file.write_text(template(path), encoding="utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    yield file.stem
    sys.modules.pop(f"{package.__name__}.{file.stem}", None)
    vars(package).pop(file.stem, None)


def template_of(package: ModuleType, path: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("added", [(package, path)], ids=[path], indirect=True)


@template_of(datasets, "harness/datasets/first_bit.py")
def test_the_template_of_a_dataset(added: str) -> None:
    assert "first-bit" in datasets.names()
    dataset = datasets.by_name("first-bit", train=30, validation=20, test=10)
    dataset.prepare(print)
    limits = dataset.limits()
    for split in SPLITS:
        arrays = dataset.load(split, **limits)
        assert arrays.x.shape == (getattr(dataset, split), limits["sequence_length"])
        first = arrays.x[:, 1]  # behind the start mark
        assert (arrays.y == (first == first.max())).all()
        assert set(arrays.y) == {0, 1}


@template_of(samplers, "harness/samplers/tpe_univariate.py")
def test_the_template_of_a_sampler(added: str) -> None:
    assert "tpe-univariate" in samplers.names()
    samplers.check("tpe-univariate", SPACE, trials=8)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    searched = optuna.create_study()
    for number in range(8):
        searched.sampler = samplers.make("tpe-univariate", SPACE, seed=number, arm_seed=0, epochs=5)
        trial = searched.ask(dict(SPACE))
        for name, distribution in SPACE.items():
            assert distribution._contains(distribution.to_internal_repr(trial.params[name]))
        searched.tell(trial, trial.params["dropout"])
    assert len({str(trial.params) for trial in searched.trials}) > 4


@template_of(sections, "reports/sections/states.py")
def test_the_template_of_a_section(added: str, tmp_path: Path) -> None:
    modules = {module.__name__: module for module in report_page.section_modules()}
    build = modules[f"reports.sections.{added}"].build
    section = build(read_records(write_run(tmp_path / "runs" / "lstm_depth", trials=3)))
    assert sum(int(fact.value) for fact in section.facts) == 4 * 3
    assert build(read_records(write_run(tmp_path / "runs" / "empty", trials=0))) is None
