"""The sections of the report, a file each: what they say and show, before it becomes HTML."""
