"""The one reader of tables: archives', anybody's own, and those to be answered."""
