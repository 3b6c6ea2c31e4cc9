"""Tables of races are made of the figures, and take the place of those before."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tests" / "benchmarks")
    yield
    for name in ("race", "race_tables", "autoencoder_epoch", "cost_against_work"):
        sys.modules.pop(name, None)


def figures(median: float, threads: str = "") -> dict[str, object]:
    return {"median": median, "fastest": 0.9 * median, "slowest": 1.1 * median, "threads": threads, "megabytes": 300.0}


def measured(parts: dict[str, object]) -> dict[str, object]:
    machine = {"processor": "Z80", "cores": 1, "python": "3.11.0", "versions": {"numpy": "2.0"}}
    return {"machine": machine, "parts": parts}


def test_only_what_stands_between_the_comments_is_replaced():
    from race_tables import BEGIN, END, replaced

    before = f"above\n\n{BEGIN}\nold\n{END}\n\nbelow\n"
    after = replaced(before, "new\n")
    assert after == f"above\n\n{BEGIN}\nnew\n{END}\n\nbelow\n"
    assert replaced(after, "new") == after


@pytest.mark.parametrize("text", ["nothing", "<!-- races -->", "<!-- /races --> <!-- races -->", "<!-- races -->" * 2])
def test_a_page_without_its_two_comments_is_refused(text):
    from race_tables import replaced

    with pytest.raises(ValueError, match=r"benchmarks\.md: expected <!-- races --> once"):
        replaced(text, "new")


def test_the_page_of_benchmarks_has_the_two_comments():
    from race_tables import replaced

    assert "new" in replaced((ROOT / "docs" / "benchmarks.md").read_text(), "new")


def test_a_ratio_is_symaes_median_as_a_part_of_the_others():
    from race_tables import markdown

    results = {"symae, Numba": figures(0.2, "1"), "PyTorch": figures(0.5, "2")}
    settings = {"worksheet": "01", "floatX": "float64", "batch": 20, "hidden": 100}
    text = markdown(measured({"01": {"races": {"a title": {"settings": settings, "results": results}}}}))
    assert "Z80, 1 cores; Python 3.11.0, numpy 2.0" in text
    assert "| symae, Numba | 1 | 0.200 (0.180–0.220) |" in text
    assert "| PyTorch | 2 | 0.500 (0.450–0.550), **0.40** |" in text


def test_a_row_of_images_has_each_librarys_fastest_way_in_ms_a_minibatch():
    from race_tables import markdown

    results = {"symae numba": figures(0.1), "PyTorch": figures(0.4), "PyTorch, padding=2": figures(0.2)}
    text = markdown(measured({"04": {"minibatches": 10, "races": {"strided": results}}}))
    assert "| 04: strided | ms a minibatch | 10.0 (9.00–11.0) | 20.0 (18.0–22.0), **0.50** | | 300, 300 |" in text


def test_symae_on_another_library_is_compared_with_that_librarys_fastest_way():
    from race_tables import markdown

    of_symae = {"symae numba": figures(0.1), "symae jax": figures(0.09)}
    results = of_symae | {"JAX, step": figures(0.1), "JAX, scan": figures(0.3)}
    text = markdown(measured({"04": {"minibatches": 10, "races": {"plain": results}}}))
    assert "| 04: plain | ms a minibatch | 10.0 (9.00–11.0) | | 10.0 (9.00–11.0), **1.00** | 300, 300 |" in text
    assert "| 04: plain | 9.00 | **0.90** | | |" in text


@pytest.mark.parametrize(
    ("value", "text"), [(0.01234, "0.0123"), (0.5, "0.500"), (1.5, "1.50"), (23.456, "23.5"), (1234.5, "1234")]
)
def test_times_have_three_digits(value, text):
    from race_tables import number

    assert number(value) == text


def test_a_doubling_for_a_doubling_is_a_straight_line():
    from cost_against_work import logarithmic, picture

    series = {"symae": {1: 0.25, 2: 0.5, 4: 1.0, 8: 2.0}}
    curve = logarithmic(series, "images", "float32")
    plot = curve.plots[0]
    assert [tick.label for tick in plot.x_ticks] == ["1", "2", "4", "8"]
    xs, ys = zip(*plot.lines[0].dots, strict=True)
    steps = [(b - a, d - c) for a, b, c, d in zip(xs, xs[1:], ys, ys[1:], strict=False)]
    assert all(step == pytest.approx(steps[0], abs=0.3) for step in steps)
    assert ElementTree.fromstring(picture([curve, curve])).tag.endswith("svg")
