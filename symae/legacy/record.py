"""What a run shows: what its script printed, tables and pictures, in their order, for the report."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from symae.compile.environment import environment
from symae.report import Picture, Report

__all__ = ["Record"]

# A log longer than this is cut in the middle.
MOST_LETTERS = 400_000
PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"}
MOST_PICTURES = 100


class Record:
    """Collect a run's events in order, and write them once."""

    def __init__(self) -> None:
        self.started = time.time()
        self._events: list[tuple[str, Any]] = []
        self._notes: list[str] = []
        self._shown: set[Path] = set()

    def text(self, text: str) -> None:
        """Add something that was printed."""
        if self._events and self._events[-1][0] == "printed":
            self._events[-1][1].write(text)
        else:
            buffer = io.StringIO()
            buffer.write(text)
            self._events.append(("printed", buffer))

    def paragraph(self, text: str) -> None:
        """Add a text that the script shows rather than prints."""
        self._events.append(("text", text))

    def note(self, line: str) -> None:
        """Add something that symae has to say."""
        self._notes.append(line)

    def shown(self, path: Path) -> None:
        """Note that the report has the picture in this file somewhere."""
        self._shown.add(path.resolve())

    def picture(self, path: Path, caption: str | None = None) -> None:
        """Add a picture in a file, as it is now: scripts write several under one name."""
        image = opened(path)
        if image is not None:
            self.shown(path)
            self._events.append(("picture", Picture(image, caption, caption or path.name)))

    def figure(self, image: Image.Image, caption: str | None = None) -> None:
        """Add a picture that is in no file."""
        self._events.append(("picture", Picture(image, caption)))

    def table(self, rows: Sequence[Sequence[Any]], header: bool) -> None:
        self._events.append(("table", (rows, header)))

    def write(self, script: Path, out: Path, arguments: Sequence[str], status: int, facts: dict[str, str]) -> None:
        """Write ``report.html`` into `out`: also pictures that the script saved there without showing them."""
        seconds = time.time() - self.started
        report = Report(script.name, " ".join([script.name, *arguments]))
        for kind, content in self._events:
            if kind == "printed":
                if text := _readable(content.getvalue()):
                    report.code(text, None)
            elif kind == "text":
                report.text(content)
            elif kind == "picture":
                report.figure(content)
            else:
                report.table(*content)
        saved = [path for path in self._saved(out) if path.resolve() not in self._shown]
        if saved:
            report.heading("Pictures")
        for path in saved[:MOST_PICTURES]:
            image = opened(path)
            if image is not None:
                report.figure(Picture(image, path.relative_to(out).as_posix()))
        if len(saved) > MOST_PICTURES:
            report.text(f"{len(saved) - MOST_PICTURES} more are in the folder.")
        if self._notes:
            report.heading("Notes")
            report.text("\n\n".join(self._notes))
        report.heading("Run")
        report.facts({"script": script, "status": str(status), "time": f"{seconds:.1f} s", **facts, **environment()})
        report.write(out / "report.html")

    def _saved(self, out: Path) -> list[Path]:
        files = (path for path in sorted(out.rglob("*")) if path.suffix.lower() in PICTURES and path.is_file())
        return sorted((path for path in files if path.stat().st_mtime >= self.started - 2), key=lambda p: p.stat().st_mtime)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Keep what is printed as long as the block lasts."""
        import sys

        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _Heard(sys.stdout, self), _Heard(sys.stderr, self)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


class _Heard:
    """Write to a stream and to the record."""

    def __init__(self, stream: Any, record: Record):
        self._stream = stream
        self._record = record

    def write(self, text: Any) -> int:
        if isinstance(text, bytes | bytearray):  # str, as it was
            text = bytes(text).decode("utf-8", "replace")
        self._record.text(text)
        return int(self._stream.write(text) or len(text))

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Any:
        return iter(self._stream)


def opened(path: Path) -> Image.Image | None:
    """Open the picture in a file; return None for what is not a picture, or is broken."""
    try:
        with Image.open(path) as image:
            image.load()
            modes = {"L", "RGB", "RGBA"}
            return image.copy() if image.mode in modes else image.convert("RGBA" if "A" in image.mode else "RGB")
    except Exception:  # Pillow raises whatever a broken file makes it do
        return None


def _readable(text: str) -> str:
    """Return a log as a terminal leaves it: without what a carriage return wrote over, nor the middle of a very long one."""
    text = re.sub(r"[^\n\r]*\r(?=[^\n\r])", "", text).replace("\r", "")
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
    if len(text) > MOST_LETTERS:
        half = MOST_LETTERS // 2
        text = f"{text[:half]}\n… {len(text) - MOST_LETTERS} characters are left out here …\n{text[-half:]}"
    return text.strip("\n")
