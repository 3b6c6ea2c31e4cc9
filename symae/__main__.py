"""``python -m symae`` is the ``symae`` command."""

import sys

from symae.cli import command

sys.exit(command())
