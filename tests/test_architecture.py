"""What pages say of the files of symae: they exist, lie where it is said, and a walk leads downwards."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_layers import LEVEL, LEVELS

ROOT = Path(__file__).parents[1]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = ("symae", "tests", "worksheets", "docs", "findings", "data", "tools")


def _named_files(page: Path) -> list[str]:
    """Return the paths in a page that begin with a folder of the repository; ``<name>`` or a star stands for anything."""
    return re.findall(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS)})/[\w./<>*-]*\w[\w>]*", page.read_text(encoding="utf-8"))


def _walks() -> dict[str, list[str]]:
    """By its heading and number each walk: the files that its steps begin with, in their order."""
    walks: dict[str, list[str]] = {}
    for part in ARCHITECTURE.split("\n### ")[1:]:
        title, *lines = part.split("\n")
        for line in lines:
            if step := re.match(r"(\d+)\. `([^`]+)`: ", line):
                start = f"{title} {sum(t.startswith(title) for t in walks)}" if step[1] == "1" else list(walks)[-1]
                walks.setdefault(start, []).append(step[2])
    return walks


def _level(file: str) -> int:
    return LEVEL[re.split(r"[/.]", file)[1]] if file.startswith("symae/") else len(LEVELS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page):
    names = {re.sub("<[a-z]+>", "*", name) for name in _named_files(page)}
    assert [name for name in names if not list(ROOT.glob(name.rstrip(".")))] == []


def test_pages_name_files():
    assert len({name for page in PAGES for name in _named_files(page)}) > 50


def test_the_table_of_levels_is_the_one_that_imports_are_tested_with():
    rows = re.findall(r"^\| [^|]+ \| (.*`.*) \|$", ARCHITECTURE, re.MULTILINE)[1:]
    told = [set(re.findall(r"`(\w+)`", row)) for row in rows]
    told = [*({name} for name in ("__main__", "cli")), *told[1:]]
    assert told == [{name or "symae" for name in level} for level in reversed(LEVELS)]


@pytest.mark.parametrize("walk", _walks())
def test_a_walk_leads_downwards_only(walk):
    levels = [_level(file) for file in _walks()[walk]]
    assert len(levels) > 5
    assert levels == sorted(levels, reverse=True)


@pytest.mark.parametrize("path", re.findall(r"^    (symae/\S*)", ARCHITECTURE, re.MULTILINE))
def test_every_part_that_it_describes_is_there(path):
    assert (ROOT / path).exists()
