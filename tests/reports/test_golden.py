"""The page of the record set on file is the page on file, except for lines in charts."""

import golden


def test_the_page_is_as_it_was() -> None:
    assert golden.render().splitlines() == golden.PAGE.read_text(encoding="utf-8").splitlines()
