"""The console script: it loads the system only for the commands that need it.

`replay` works on files alone, and is done before the rest would have been loaded.
"""

import importlib
import sys


def main() -> None:
    """Run the command that was typed."""
    alone = sys.argv[1:2] == ["replay"]
    importlib.import_module("cli_replay" if alone else "cli").main()
