"""The site is whole: it builds strictly, names all that is public, is small, and needs no other host."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.docs

MEGABYTES = 15


@pytest.fixture(scope="module")
def made():
    """Return the module that makes pages of the code."""
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import site_pages
    finally:
        sys.path.remove(str(ROOT / "tools"))
    return site_pages


class Loaded(HTMLParser):
    """Collects what a page loads by itself: scripts, styles, pictures, fonts."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in ("script", "img", "iframe", "source", "video") and given.get("src"):
            self.found.append(given["src"])
        if tag == "link" and given.get("rel") not in ("canonical", "prev", "next"):
            self.found.append(given.get("href") or "")


def test_it_is_small_enough_to_be_mailed(site):
    size = sum(file.stat().st_size for file in site.rglob("*") if file.is_file())
    assert size < MEGABYTES * 1e6


def test_no_page_loads_anything_from_another_host(site):
    for page in site.rglob("*.html"):
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert loaded.found
        assert [what for what in loaded.found if re.match(r"(https?:)?//", what)] == [], page
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_every_public_name_is_in_the_reference(site, made):
    for module, names in made.public_modules().items():
        page = (site / "reference" / f"{module}.html").read_text(encoding="utf-8")
        anchors = set(re.findall(r'id="([\w.]+)"', page))
        for name in names:
            if name != "__version__":
                assert f"{module}.{name}" in anchors or re.search(rf'href="[^"]*#symae\.[\w.]*\b{name}"', page), (module, name)


def test_every_module_that_exports_something_is_public_or_said_to_be_internal(made):
    packages = {path.parent.name if path.stem == "__init__" else path.stem for path in (ROOT / "symae").glob("*/__init__.py")}
    packages |= {path.stem for path in (ROOT / "symae").glob("*.py")} - {"__init__"}
    exporting = {p for p in packages if not p.startswith("_") and made.exported(made._file_of(f"symae.{p}"))}
    shown = {module.split(".")[1] for module in made.public_modules() if "." in module}
    assert exporting - {"theano"} - made.INTERNAL <= shown


def test_every_patch_every_finding_and_every_command_has_its_place(site, made):
    from symae.patches import PATCHES

    patches = (site / "patches.html").read_text(encoding="utf-8")
    assert [patch.name for patch in PATCHES if f'id="{patch.name}"' not in patches] == []
    scripts = [script.name for script in (ROOT / "findings").iterdir()]
    page = (site / "findings.html").read_text(encoding="utf-8")
    assert len(scripts) > 9
    assert [name for name in scripts if name not in page] == []
    for _, sentence in made.findings():
        assert re.match(r"[\w.-]+ \d|[A-Z]\w+ \d", sentence), sentence
        assert 25 < len(sentence) < 260, sentence
    commands = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    assert all(f'id="symae-{name}"' in commands for name in ("run", "data", "show", "port", "inspect", "warmup", "export"))


def test_every_column_of_a_table_has_a_name(site):
    unnamed = [page.name for page in site.rglob("*.html") if re.search(r"<th[^>]*>\s*</th>", page.read_text(encoding="utf-8"))]
    assert unnamed == []


def test_formulas_are_drawn_by_the_browser_itself(site):
    page = (site / "reference" / "symae.nn.html").read_text(encoding="utf-8")
    assert page.count("<math") > 5
    left = [
        page for page in site.rglob("*.html") if re.search(r"arithmatex|\.\. math::|\\frac", page.read_text(encoding="utf-8"))
    ]
    assert left == []


def test_the_start_page_leads_to_what_newcomers_ask_for(site):
    index = (site / "index.html").read_text(encoding="utf-8")
    for page in ("data", "exactness", "patches", "libraries", "notebooks", "benchmarks", "legacy", "first_ten_minutes"):
        assert f'href="{page}.html' in index, page
