"""The report's sections, one per file: a new file is a new section.

Each exports `ORDER` (an integer: where on the page) and `build(records) -> Section | None`,
None if it has nothing to say.
"""
