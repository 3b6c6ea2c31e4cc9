"""The site's pages have nothing that axe finds, wide and narrow, light and dark; its search finds what newcomers ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe import RUN, axe_source

pytestmark = pytest.mark.docs

# One of each kind of page; SYMAE_ALL_PAGES=1 looks at all of them, at three widths and in both themes.
PAGES = [
    "index.html",
    "first_ten_minutes.html",
    "tutorial/index.html",
    "tutorial/01_autoencoder.html",
    "tutorial/07_porting_theano.html",
    "data.html",
    "benchmarks.html",
    "patches.html",
    "theano_tests.html",
    "architecture.html",
    "reference/symae.nn.html",
    "reference/commands.html",
]


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


def _show(chromium, page: Path, width: int, scheme: str, fragment: str = "") -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    chromium.get("about:blank")
    chromium.get(f"{page.as_uri()}{fragment}")
    chromium.execute_async_script("setTimeout(arguments[0], 300)")


def _violations(chromium, source: str) -> list[str]:
    chromium.execute_script(source)
    return list(chromium.execute_async_script(RUN))


def _shown(site) -> tuple[list[str], list[tuple[int, str]]]:
    """Return pages, and the widths and themes to see them in: what a theme and what a width does do not meet in one rule."""
    if os.environ.get("SYMAE_ALL_PAGES"):
        # 404.html is for servers: its script has an address that nothing has on a disk
        pages = [str(page.relative_to(site)) for page in sorted(site.rglob("*.html")) if page.name != "404.html"]
        return pages, [(width, scheme) for width in (1280, 768, 390) for scheme in ("light", "dark")]
    return PAGES, [(1280, "light"), (390, "dark")]


def test_axe_finds_no_violation_and_pages_scroll_down_only(site, chromium, axe):
    pages, views = _shown(site)
    found, wide = {}, {}
    for width, scheme in views:
        for page in pages:
            _show(chromium, site / page, width, scheme)
            if violations := _violations(chromium, axe):
                found[page, width, scheme] = violations
            if (needed := chromium.execute_script("return document.documentElement.scrollWidth")) > width:
                wide[page, width] = needed
    assert (found, wide) == ({}, {})


# What a newcomer asks, in words for the search, and the page that answers.
QUESTIONS = {
    "train on a folder of photographs": "data.html",
    "backends differ last digit": "exactness.html",
    "patches active": "patches.html",
    "run a Lasagne script": "libraries.html",
    "notebook options": "notebooks.html",
    "faster than PyTorch": "benchmarks.html",
    "add an op": "adding_an_op.html",
    "python 2 script": "legacy.html",
    "install": "first_ten_minutes.html",
    "grid search": "scikit-learn.html",
    "CUDA": "questions.html",
    "load my Keras weights": "weights.html",
    "Theano scan slow": "questions.html",
    "ImportError cxx": "questions.html",
    "how do I cite": "questions.html",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_search_has_the_answer_among_its_first_three(question, site, chromium):
    """It is asked as a reader asks, by typing, on a page that was opened from the disk."""
    _show(chromium, site / "index.html", 1280, "light")
    field = chromium.find_element("css selector", "input[name=query]")
    field.click()
    field.send_keys(question)
    links: list[str] = []
    for _ in range(50):
        chromium.execute_async_script("setTimeout(arguments[0], 200)")
        links = chromium.execute_script(
            "return [...document.querySelectorAll('.md-search-result__item > a.md-search-result__link')].map((a) => a.href)"
        )
        if links:
            break
    pages = [link.partition("#")[0].partition("?")[0].rpartition("/")[2] for link in links]
    assert QUESTIONS[question] in list(dict.fromkeys(pages))[:3]
