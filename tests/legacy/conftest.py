"""Running a script of the test's own in this process."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from symae.cli import main as cli


@dataclass(frozen=True)
class Run:
    """What a run leaves: its status, what it printed, its output folder."""

    status: int
    out: str
    err: str
    folder: Path

    @property
    def report(self) -> str:
        return (self.folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    """Run a text as ``symae run old.py`` in a folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def running(text: str, *arguments: str, name: str = "old.py", options: tuple[str, ...] = ()) -> Run:
        script = folder / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(textwrap.dedent(text))
        status = cli.main(["run", *options, name, *arguments])
        out, err = capsys.readouterr()
        return Run(status, out, err, folder / "out" / script.stem)

    return running
