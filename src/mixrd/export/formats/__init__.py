"""A module for each program or format: its name is what `mixrd export --to` takes."""
