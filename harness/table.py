"""Where a table of trainings lies (see harness.tabulate), for those who make it and who read it."""

TABLE, MANIFEST = "table.parquet", "table.json"
