"""``python -m symae`` is the ``symae`` command."""

import sys

from symae.cli.main import command

sys.exit(command())
