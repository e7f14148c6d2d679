"""The command line: `mixrd`. No physics here, and nothing heavy is imported before a command needs it."""

from mixrd.cli.app import main

__all__ = ["main"]
