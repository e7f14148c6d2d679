"""Results for people: plots, tables, and the files that an analysis leaves behind."""
