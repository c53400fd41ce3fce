"""The report's sections, one a file: adding a file adds a section.

Each exports `ORDER` (an integer: where on the page) and `build(records) -> Section | None`,
None where it has nothing to say.
"""
