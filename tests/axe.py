"""axe-core, Deque's checker of what pages are like for people with disabilities (MPL-2.0), fetched once by npm and kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
NEEDED = "SYMAE_NEEDS_AXE"  # where this is set, as in .ci/run, its tests fail without it, and are not skipped
RUN = """const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then((found) => done(found.violations.map(
  (v) => `${v.id}, ${v.nodes.length}: ${v.nodes.map((node) => node.html.slice(0, 160)).slice(0, 3).join(" ")}`)));"""


def axe_source() -> str:
    """Return axe-core's JavaScript; where it cannot be had, skip the test."""
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "symae-tests" / f"axe-core-{VERSION}.js"
    if not kept.is_file():
        try:
            content = _fetched()
        except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError) as error:
            message = f"axe-core {VERSION} is not at hand, and npm does not fetch it ({type(error).__name__}: {error})"
            pytest.fail(message) if os.environ.get(NEEDED) else pytest.skip(message)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as file:
            file.write(content)
        Path(file.name).replace(kept)
    content = kept.read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256, f"{kept} is not axe-core {VERSION}"
    return content.decode()


def _fetched() -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("there is no npm")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"axe-core@{VERSION}", "--silent", "--ignore-scripts"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
        (package,) = Path(folder).glob("*.tgz")
        with tarfile.open(package) as archive:
            file = archive.extractfile("package/axe.min.js")
            assert file is not None
            return file.read()
