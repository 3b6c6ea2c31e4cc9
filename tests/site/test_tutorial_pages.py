"""The tutorial's pages are the worksheets as they are now, with what they showed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from symae.runs.catalogue import worksheets

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial"
pytestmark = pytest.mark.docs


@pytest.fixture(scope="module")
def maker():
    for needed in ("jupytext", "nbclient"):
        pytest.importorskip(needed, reason=f"{needed} is not installed")
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import make_tutorial
    finally:
        sys.path.remove(str(ROOT / "tools"))
    return make_tutorial


@pytest.mark.parametrize("name", worksheets())
def test_a_page_has_the_code_of_its_worksheet(name, maker):
    page = (TUTORIAL / f"{name}.md").read_text(encoding="utf-8")
    found = re.findall(r"^```python\n(.*?)\n```$", page, re.DOTALL | re.MULTILINE)
    assert found == maker.code_of(ROOT / "worksheets" / f"{name}.py"), f"python tools/make_tutorial.py {name[:2]}"


@pytest.mark.parametrize("name", worksheets())
def test_its_pictures_are_there_and_have_words(name):
    page = (TUTORIAL / f"{name}.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page)
    assert pictures or name == "07_porting_theano"
    assert [target for words, target in pictures if not words or not (TUTORIAL / target).is_file()] == []


def test_no_picture_is_left_over():
    pages = "".join(page.read_text(encoding="utf-8") for page in TUTORIAL.glob("*.md"))
    assert [file.name for file in (TUTORIAL / "pictures").iterdir() if f"pictures/{file.name}" not in pages] == []
