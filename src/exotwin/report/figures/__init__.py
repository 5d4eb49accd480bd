"""The figures of the report, a file each; every one is drawn from a table that is also exported."""
