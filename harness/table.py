"""Where a table of trainings lies (see harness.contest.tabulate), for those who make it and who read it."""

TABLE, MANIFEST = "table.parquet", "table.json"
