"""``python -m gramdex``: the command line."""

from gramdex.tools.cli import main

main()
