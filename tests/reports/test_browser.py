"""Pages in a real browser: they load nothing, show no errors, and every control works."""

import csv
import os
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from page_testing import HOSTILE, failed
from report_testing import MakeRun, write_forecasts

from harness.results import records
from reports import page as report_page
from reports import write
from reports.charts import chart
from reports.sections import explore, trials

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Any]
AXE = Path(os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js"))
WCAG_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip(
        "playwright.sync_api", reason="no Playwright (pip install playwright)"
    )
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium found (apt-get install chromium)")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[OpenPage]:
    """`open_page(file, width=…)`: a page without a network; errors and requests fail the test."""
    contexts, complaints = [], []

    def open_file(file: Path, *, width: int = 1280, **options: Any) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, offline=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                request.url.startswith(("file:", "data:", "blob:"))
                or complaints.append(request.url)
            ),
        )
        page.goto(file.as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def full(make_run: MakeRun) -> Path:
    """A report with something in every section."""

    def some_failed(result: dict[str, Any]) -> dict[str, Any]:
        return failed(result, HOSTILE) if result["trial"] == 3 else result

    return write.write(make_run(trials=8, replicates=3, edit=some_failed))


def fits(page: Any) -> bool:
    """Whether nothing has to be scrolled sideways."""
    return bool(
        page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
    )


def texts(page: Any, table: str, column: int) -> list[str]:
    """A column's visible cells from the top."""
    cells = page.locator(f"#{table} tbody tr:not([hidden]) td:nth-child({column + 1})")
    return list(cells.all_inner_texts())


def test_opens_without_a_complaint(open_page: OpenPage, full: Path) -> None:
    page = open_page(full)
    written = full.read_text().count('class="chart"')
    assert page.locator("svg.chart").count() == written + 1 > 6  # the page's script draws one
    assert page.locator("h2").first.inner_text() == "Answer"


def test_a_running_studys_page_loads_itself_again_where_it_was_read(
    open_page: OpenPage, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_page, "REFRESH_S", 1)
    root = make_run(trials=4, wanted=6)
    file = write.write_records(records.read_records(root), listed=False, live=True)
    page = open_page(file)
    page.evaluate("scrollTo(0, 700)")
    write.write(root)  # the study has ended: its last page replaces the live one
    page.locator("#live").wait_for(state="detached")
    page.wait_for_load_state("load")
    assert abs(page.evaluate("scrollY") - 700) < 60  # the notice above is gone


def test_a_page_that_loads_itself_again_can_be_stopped(
    open_page: OpenPage, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough to hit the button in one load, on a busy machine, too.
    monkeypatch.setattr(report_page, "REFRESH_S", 2)
    root = make_run(trials=2, wanted=6)
    page = open_page(write.write_records(records.read_records(root), listed=False, live=True))
    page.locator("#live button", has_text="Stop").click()
    page.wait_for_timeout(100)  # for a load that had begun before
    page.locator("#live button", has_text="again").wait_for()
    loaded = page.evaluate("performance.timeOrigin")
    page.wait_for_timeout(3000)
    assert page.evaluate("performance.timeOrigin") == loaded
    page.locator("#live button", has_text="again").click()
    page.wait_for_function("before => performance.timeOrigin > before", arg=loaded)
    page.wait_for_load_state("load")


def test_tables_sort_by_mouse_and_keyboard(open_page: OpenPage, full: Path) -> None:
    page = open_page(full)
    head = page.locator("#all-trials th", has_text="Loss").first
    column = head.evaluate("each => each.cellIndex")
    declared = texts(page, "all-trials", column)
    assert head.get_attribute("aria-sort") is None
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    values = [float(text) for text in texts(page, "all-trials", column) if text != "–"]
    assert values == sorted(values)
    assert [float(text) for text in declared if text != "–"] != values
    assert texts(page, "all-trials", column)[-1] == "–"  # rows without a value stay last
    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    values = [float(text) for text in texts(page, "all-trials", column) if text != "–"]
    assert values == sorted(values, reverse=True)
    assert page.locator("#all-trials th[aria-sort]").count() == 1


def test_tables_filter(open_page: OpenPage, full: Path) -> None:
    page = open_page(full)
    button = page.locator("button", has_text="Download CSV: All trials")
    tools = page.locator("div.tools", has=button)
    everything = len(texts(page, "all-trials", 0))
    tools.locator("input").fill("failed")
    found = len(texts(page, "all-trials", 0))
    assert 0 < found < everything
    assert tools.locator("output").inner_text() == f"{found} of {everything} rows"
    # A link to a row that the filter hides shows it again.
    page.evaluate("location.hash = '#trial-depth=1-0'")
    page.wait_for_function("!document.getElementById('trial-depth=1-0').hidden")


def test_tables_and_figures_download(open_page: OpenPage, full: Path, tmp_path: Path) -> None:
    page = open_page(full)
    with page.expect_download() as waiting:
        page.locator("button", has_text="Download CSV: All trials").click()
    assert waiting.value.suggested_filename == "all-trials.csv"
    waiting.value.save_as(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 1 + 32
    assert {len(row) for row in rows} == {len(rows[0])}
    with page.expect_download() as waiting:
        page.locator("#accuracy-figure a[download]").click()
    waiting.value.save_as(tmp_path / "figure.csv")
    assert (tmp_path / "figure.csv").read_text().startswith("arm,replicate,")


def test_figures_download_as_pictures(open_page: OpenPage, full: Path, tmp_path: Path) -> None:
    page = open_page(full)
    for figure in page.locator("figure").all():
        for kind in ("SVG", "PNG"):
            assert figure.locator(f"figcaption button:has-text('{kind}')").count() == 1
    caption = page.locator("#accuracy-figure figcaption")
    for kind in ("SVG", "PNG"):
        with page.expect_download() as waiting:
            caption.locator("button", has_text=kind).focus()
            page.keyboard.press("Enter")
        assert waiting.value.suggested_filename == f"accuracy-figure.{kind.lower()}"
        waiting.value.save_as(tmp_path / kind)
    picture = (tmp_path / "PNG").read_bytes()
    assert picture.startswith(b"\x89PNG")
    root = ElementTree.fromstring((tmp_path / "SVG").read_text())  # whole, so it can be parsed
    text = ElementTree.tostring(root, encoding="unicode")
    assert "var(" not in text
    assert "#replicate-" not in text  # a link would lead to a row of the page
    words = [each.text for each in root.iter() if each.tag.endswith("text")]
    assert {"replicate", "mean", "Test accuracy, %"} <= {*words}  # legend and axes
    # Another program shows it, too: it is drawn once more by itself.
    (tmp_path / "alone.svg").write_bytes((tmp_path / "SVG").read_bytes())
    alone = open_page(tmp_path / "alone.svg")
    assert alone.locator("svg > svg text").count() > 5


def test_commands_are_copied(open_page: OpenPage, full: Path) -> None:
    page = open_page(full, permissions=["clipboard-read", "clipboard-write"])
    command = page.locator("p.command").first
    command.locator("button").focus()
    page.keyboard.press("Enter")
    command.locator("[role=status]", has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == command.locator("code").inner_text()


def test_a_formula_is_escaped_in_the_download(
    open_page: OpenPage, make_run: MakeRun, tmp_path: Path
) -> None:
    root = make_run(trials=2, edit=lambda result: failed(result, "=cmd()|' /C calc'!A0"))
    page = open_page(write.write(root))
    with page.expect_download() as waiting:
        page.locator("#failures .tools button").first.click()
    waiting.value.save_as(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert any(cell.startswith("'=cmd()") for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "@"))]


def test_a_mark_leads_to_its_trial(open_page: OpenPage, full: Path) -> None:
    page = open_page(full)
    mark = page.locator("svg a[href^='#trial-']").first
    target = mark.get_attribute("href")[1:]
    row = [page.locator(f"[id='{target}'] td").nth(i).inner_text() for i in range(5)]
    assert mark.locator("title").text_content() == (
        f"{row[0]}, trial {row[1]}: loss {row[3]}, {row[4]}"
    )
    pruned = page.locator("#all-trials tr.pruned").first.get_attribute("id")
    title = page.locator(f"svg a[href='#{pruned}'] title").first
    assert " (pruned): loss " in title.text_content()
    mark.dispatch_event("click")
    page.wait_for_function(
        "id => { const box = document.getElementById(id).getBoundingClientRect();"
        " return box.top >= 0 && box.bottom <= innerHeight }",
        arg=target,
    )


def test_a_row_is_not_below_the_head_of_its_table(open_page: OpenPage, full: Path) -> None:
    page = open_page(full)
    page.evaluate("location.hash = '#trial-depth=2-1'")
    page.wait_for_function(
        "() => { const row = document.getElementById('trial-depth=2-1').getBoundingClientRect();"
        " const head = document.querySelector('#all-trials th').getBoundingClientRect();"
        " return row.top >= head.bottom && row.bottom <= innerHeight }"
    )


def test_every_mark_is_hit_where_it_is(open_page: OpenPage, full: Path) -> None:
    """Hollow ones too; a mark may be below another one, never below what is no mark."""
    page = open_page(full)
    assert page.locator("svg a[href^='#trial-'] use[style*='fill:none'], g[style*='fill:none'] a")
    missed = page.evaluate("""() => {
        const missed = [];
        let hollow = 0;
        for (const mark of document.querySelectorAll("svg.chart a use, .explorer a .dot")) {
            mark.scrollIntoView({ block: "center" });
            const box = mark.getBoundingClientRect();
            const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            hollow += getComputedStyle(mark).fill === "none";
            if (!hit || !hit.closest("svg a")) missed.push(mark.closest("a").getAttribute("href"));
        }
        return [hollow, missed];
    }""")
    assert missed[0] > 5
    assert missed[1] == []


def test_trials_are_explored(open_page: OpenPage, full: Path) -> None:
    page = open_page(full, width=1280)
    explorer = page.locator(".explorer")
    chart = explorer.locator("svg.chart")
    explorer.locator("select").first.select_option("Learning rate")
    explorer.get_by_label("log scale, horizontal").check()
    assert "Learning rate (log)" in chart.locator("text").all_text_contents()
    assert "Loss against Learning rate" in chart.get_attribute("aria-label")
    # A categorical hyperparameter has its values at equal distances, and none between them.
    explorer.get_by_label("log scale, horizontal").uncheck()
    explorer.locator("select").first.select_option("Sequence length")
    ticks = chart.locator("text[text-anchor=middle]").all_text_contents()
    assert ticks[:3] == ["50", "100", "200"]
    explorer.locator("select").nth(2).select_option("rank of the loss")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 75, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.85 * box["height"], steps=4)
    page.mouse.up()
    told = explorer.locator("output").inner_text()
    number = int(told.split()[0])
    assert 0 < number < 32
    assert page.locator("#all-trials tr.on").count() == number
    assert page.locator("#search-figure a.on").count() > 0
    assert page.locator("#curves-figure a.on").count() > 0
    explorer.locator("button", has_text="Clear").click()
    assert page.locator("a.on, tr.on").count() == 0
    # Without a mouse: filter the table, then select what it shows.
    tools = page.locator("div.tools", has=page.locator("button", has_text="CSV: All trials"))
    tools.locator("input").fill("failed")
    explorer.locator("button", has_text="Select the rows").focus()
    page.keyboard.press("Enter")
    assert page.locator("#all-trials tr.on").count() == 4


def test_names_on_the_vertical_axis_are_within_the_chart(open_page: OpenPage, full: Path) -> None:
    page = open_page(full, width=360)
    page.locator(".explorer select").nth(1).select_option("State")
    outside = page.evaluate(
        "() => { const chart = document.querySelector('.explorer svg.chart');"
        " const left = chart.getBoundingClientRect().left;"
        " return [...chart.querySelectorAll('text')]"
        ".filter((each) => each.getBoundingClientRect().left < left)"
        ".map((each) => each.textContent) }"
    )
    assert outside == []


def test_a_finger_that_scrolls_over_the_marks_leaves_no_frame(
    open_page: OpenPage, full: Path
) -> None:
    page = open_page(full, width=360, has_touch=True, is_mobile=True)
    chart = page.locator(".explorer svg.chart")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    touches = page.context.new_cdp_session(page)

    def touch(kind: str, *down: float) -> None:
        points = [{"x": box["x"] + 60, "y": box["y"] + 4 - each} for each in down]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    page.evaluate(
        "() => { window.cancelled = false; document.querySelector('.explorer svg.chart')"
        ".addEventListener('pointercancel', () => { window.cancelled = true }) }"
    )
    touch("touchStart", 0)
    for step in range(1, 13):
        touch("touchMove", 10 * step)
    page.wait_for_function("window.cancelled")
    touch("touchEnd")
    assert chart.locator("rect").count() == 0


def test_marks_of_many_arms_have_their_own_colours(
    open_page: OpenPage, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_page, "section_modules", lambda: [explore, trials])
    root = make_run(trials=1, compare={"batch_size": list(range(1, 33))})
    page = open_page(write.write(root))
    colours = page.evaluate(
        "() => [...new Set([...document.querySelectorAll('.explorer .dot')]"
        ".map((mark) => mark.style.fill))]"
    )
    assert len(colours) == len(chart.SERIES)


def test_light_and_dark(open_page: OpenPage, full: Path) -> None:
    def shades(scheme: str) -> tuple[str, str]:
        page = open_page(full, color_scheme=scheme)
        return tuple(page.evaluate(
            "[getComputedStyle(document.body).backgroundColor,"
            " getComputedStyle(document.querySelector('.chart text')).fill]"
        ))  # fmt: skip

    light, dark = shades("light"), shades("dark")
    assert light[0] == "rgb(255, 255, 255)"
    assert all(a != b for a, b in zip(light, dark, strict=True))


def test_readable_without_javascript(open_page: OpenPage, full: Path) -> None:
    page = open_page(full, java_script_enabled=False)
    assert page.locator("button").count() == 0
    assert page.locator("#all-trials tbody tr").count() == 32


@pytest.mark.parametrize("name", ["a" * 60, "a cell of a long name, number one"])
def test_a_phone_needs_no_sideways_scrolling(
    open_page: OpenPage, make_run: MakeRun, name: str
) -> None:
    root = make_run(compare={"cell": [name, "gru"]}, trials=6, replicates=2)
    assert fits(open_page(write.write(root), width=360))


@pytest.fixture
def forecasts(tmp_path: Path) -> Path:
    """A report of a study of forecasts, whose target has a long name."""
    errors = {"depth=1": 8.0, "depth=2": 9.0, "baseline=last": 20.0, "baseline=ridge": 7.0}
    facts = {"unit": "u" * 60, "targets": ["u" * 60], "horizon": 24}
    return write.write(write_forecasts(tmp_path / "forecasts", errors, facts=facts))


@pytest.mark.parametrize("width", [1200, 390])
def test_forecasts_are_drawn_and_fit(open_page: OpenPage, forecasts: Path, width: int) -> None:
    page = open_page(forecasts, width=width)
    assert fits(page)
    for figure in ("forecast-figure", "forecast-steps-figure", "forecast-residuals-figure"):
        chart = page.locator(f"#{figure} svg.chart")
        assert chart.is_visible()
        assert len(chart.get_attribute("aria-label")) > 80
        box = chart.bounding_box()
        assert box["width"] <= width
        assert box["height"] > 100


def test_every_kind_of_page_fits_a_phone(
    open_page: OpenPage, make_run: MakeRun, tmp_path: Path
) -> None:
    roots = [make_run("one", trials=6, replicates=2), make_run("two", trials=2)]
    for root in roots:
        write.write(root)
    studies = [records.read_records(root) for root in roots]
    assert fits(open_page(write.write_comparison(studies, tmp_path), width=360))
    assert fits(open_page(roots[0].parent / "index.html", width=360))


def test_studies_of_the_list_are_compared(open_page: OpenPage, make_run: MakeRun) -> None:
    roots = [make_run(name, trials=2) for name in ("one", "two", "three")]
    for root in roots:
        write.write(root)
    page = open_page(roots[0].parent / "index.html")
    boxes = page.locator("input[type=checkbox]")
    assert boxes.count() == 3
    boxes.nth(0).check()
    assert not page.locator("p.compare").is_visible()  # of one there is nothing to compare
    boxes.nth(2).check()
    chosen = [
        page.locator("section[data-study]").nth(i).get_attribute("data-study") for i in (0, 2)
    ]
    command = f"python -m harness.report {chosen[0]} {chosen[1]}"
    assert page.locator("p.compare code").inner_text() == command
    assert page.locator("p.compare button").is_visible()


def test_prints(open_page: OpenPage, full: Path) -> None:
    page = open_page(full, width=717)  # A4 at 96 dots an inch, less the usual margins
    page.emulate_media(media="print")
    assert fits(page)
    for hidden in ("div.tools", "figcaption button", "figcaption a", "button.copy"):
        assert not page.locator(hidden).first.is_visible()
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")


def violations(page: Any) -> list[str]:
    """What axe-core finds at WCAG AA: the rule, and where."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", WCAG_AA
    )
    assert len(found["passes"]) > 5
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core here (npm install axe-core)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    open_page: OpenPage,
    make_run: MakeRun,
    full: Path,
    forecasts: Path,
    tmp_path: Path,
    scheme: str,
) -> None:
    hardly = write.write(make_run("hardly", trials=1))
    begun = make_run("running", trials=3, edit=lambda result: {**result, "state": "running"})
    running = write.write_records(records.read_records(begun), listed=False, live=True)
    comparison = write.write_comparison(
        [records.read_records(page.parent) for page in (full, hardly)], tmp_path
    )
    for file in (full, forecasts, hardly, running, comparison, full.parent.parent / "index.html"):
        for width in (1280, 360):
            page = open_page(file, width=width, color_scheme=scheme)
            assert violations(page) == [], file
    assert records.read_records(full.parent).finished
