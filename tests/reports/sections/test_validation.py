"""The search's own scores."""

from report_testing import MakeRun

from harness.results.records import read_records
from reports import content
from reports.sections import trials, validation


def test_best_trials_link_to_their_rows(make_run: MakeRun) -> None:
    records = read_records(make_run())
    section, listing = validation.build(records), trials.build(records)
    assert section is not None
    assert listing is not None
    rows = {row.id: row for row in listing.tables[0].rows}
    assert len(rows) == len(records.trials)
    for row in section.tables[0].rows:
        link = row.cells[1]
        assert isinstance(link, content.Link)
        assert rows[link.target].kind == "best"
