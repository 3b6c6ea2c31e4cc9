"""What a run stands on, for its record and report."""

from __future__ import annotations

from symae import patches
from symae._runtime.versions import versions
from symae.compile.backends import PACKAGES


def environment() -> dict[str, str]:
    """Return versions, the machine and its cores, and what has become of the patches, in one line."""
    return versions(PACKAGES) | {"patches": patches.summary()}
