"""The page stands alone, shows every text as it is and every picture as its pixels, and says what it left out."""

import base64
import html
import io
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import symae
from symae._runtime.versions import versions
from symae.errors import InputError, UnwritableError
from symae.report import Picture, Report
from symae.report.curve import curve, nice_ticks, thin_out

VOID = {"meta", "link", "img", "line", "path", "circle"}
DIGIT = np.random.RandomState(0).randint(0, 256, (28, 28)).astype("uint8")
NASTY = """<script>alert("1")</script> & 'x' </style>"""


class Page(HTMLParser):
    """The elements of a page as (tag, attributes, text), checked to be well nested."""

    def __init__(self, source):
        super().__init__()
        self.elements = []
        self.open = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), ""])
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for element in self.open:
            element[2] += data

    def all(self, tag, **attributes):
        return [element for element in self.elements if element[0] == tag and attributes.items() <= element[1].items()]

    def texts(self, tag, **attributes):
        return [text for _, _, text in self.all(tag, **attributes)]


def example():
    report = Report("Autoencoder", "100 hidden units")
    report.text("First paragraph.\n\nSecond\nparagraph.")
    report.facts({"run time": "63.1 s", "epochs": 200, "learning rate": 0.1})
    report.heading("Training")
    report.curve(
        {"autoencoder": {0: 132.518026, 10: 80.232354, 20: 75.058689}, "denoising": {0: 138.405057, 10: 87.162786, 20: np.nan}},
        x_label="epoch",
        y_label="cost, nats per image",
        title="Training cost",
    )
    report.curve({"minibatch": np.random.RandomState(0).rand(5000)}, x_label="minibatch")
    report.table([["Original", "Autoencoder", "Denoising"], [np.kron(DIGIT, np.ones((11, 11), "uint8"))] * 3], caption="Digits")
    report.table([["original", *[DIGIT] * 10]], header=False)
    report.table([[f"a column with a long name {i}" for i in range(12)], list(range(12))])
    report.figure(np.eye(10), caption="A mask")
    report.figure(np.zeros((300, 900)), "A wide picture")
    report.code("Training epoch 0, cost 132.518026" * 10, caption="Log")
    return report


def page(build):
    report = Report("title")
    build(report)
    return Page(report.html())


def pixels(source):
    assert source.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


def test_the_page_needs_nothing_but_itself():
    source = example().html()
    links = [attrs[name] for _, attrs, _ in Page(source).elements for name in ("src", "href") if name in attrs]
    assert len(links) > 10
    assert all(link.startswith("data:") for link in links)
    styles = "".join(Page(source).texts("style"))
    assert "url(" not in styles
    assert "@import" not in styles
    assert "default-src 'none'" in Page(source).all("meta", **{"http-equiv": "Content-Security-Policy"})[0][1]["content"]


def test_the_same_calls_give_the_same_bytes():
    assert example().html() == example().html()


def test_the_page_has_a_language_a_title_and_headings_in_order():
    report = Report("Autoencodeur", "deux", language="fr")
    report.heading("A")
    report.heading("B", level=3)
    found = Page(report.html())
    assert found.all("html")[0][1]["lang"] == "fr"
    assert found.texts("title") == found.texts("h1") == ["Autoencodeur"]
    assert found.texts("p", **{"class": "subtitle"}) == ["deux"]
    assert (found.texts("h2"), found.texts("h3")) == (["A"], ["B"])


def test_empty_lines_separate_paragraphs():
    assert page(lambda report: report.text("one\ntwo\n\n  three\n \n\n")).texts("p") == ["one\ntwo", "three"]


@pytest.mark.parametrize(
    ("build", "tag"),
    [
        (lambda report: report.text(NASTY), "p"),
        (lambda report: report.heading(NASTY), "h2"),
        (lambda report: report.code(NASTY), "pre"),
        (lambda report: report.code("x", caption=NASTY), "figcaption"),
        (lambda report: report.facts({NASTY: 1}), "dt"),
        (lambda report: report.facts({"x": NASTY}), "dd"),
        (lambda report: report.table([[NASTY], ["x"]]), "th"),
        (lambda report: report.table([["x"], [NASTY]]), "td"),
        (lambda report: report.table([["x"]], caption=NASTY), "caption"),
        (lambda report: report.figure(DIGIT, NASTY), "figcaption"),
        (lambda report: report.curve({NASTY: [1, 2]}), "li"),
        (lambda report: report.curve({"x": [1, 2]}, title=NASTY), "title"),
        (lambda report: report.curve({"x": [1, 2]}, x_label=NASTY, y_label=NASTY), "text"),
        (lambda report: report.curve({"x": [1, 2]}, caption=NASTY), "figcaption"),
    ],
)
def test_markup_in_a_text_is_text(build, tag):
    found = page(build)
    assert any(NASTY in text for text in found.texts(tag))
    assert not any("alert" in text for text in found.texts("script") if not text.startswith("{"))


def test_markup_in_the_title_is_text():
    found = Page(Report(NASTY, NASTY).html())
    assert found.texts("h1") == found.texts("title") == [NASTY]
    assert found.all("script") == []


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("text", "text"),
        (5000, "5000"),
        (69.2758761, "69.2759"),
        (np.float32(0.1), "0.1"),
        (np.int64(12345678), "12345678"),
        (np.array(2.5), "2.5"),
        (float("nan"), "nan"),
        (True, "yes"),
        (None, ""),
    ],
)
def test_a_cell_shows_a_string_or_a_number(cell, text):
    assert page(lambda report: report.table([["name"], [cell]])).texts("td") == [text]


@pytest.mark.parametrize(
    "image", [DIGIT, DIGIT / 255, Image.fromarray(DIGIT), Picture(DIGIT)], ids=["uint8", "float", "PIL", "Picture"]
)
def test_a_picture_is_inlined_with_its_pixels_and_enlarged_whole_times(image):
    images = page(lambda report: (report.table([["name"], [image]]), report.figure(image))).all("img")
    assert len(images) == 2
    np.testing.assert_array_equal([pixels(attrs["src"]) for _, attrs, _ in images], [DIGIT, DIGIT])
    assert {(attrs["width"], attrs["height"]) for _, attrs, _ in images} == {("280", "280")}


@pytest.mark.parametrize(
    ("shape", "zoom", "width"), [((10, 10), None, 280), ((289, 289), None, 289), ((10, 20), 3, 60), ((900, 9), None, 9)]
)
def test_small_pictures_are_enlarged_large_ones_are_not_and_a_zoom_is_obeyed(shape, zoom, width):
    assert page(lambda report: report.figure(np.zeros(shape), zoom=zoom)).all("img")[0][1]["width"] == str(width)


def test_later_changes_of_an_array_do_not_reach_the_page():
    array = DIGIT.copy()
    report = Report("x")
    report.figure(array)
    array[:] = 0
    np.testing.assert_array_equal(pixels(Page(report.html()).all("img")[0][1]["src"]), DIGIT)


@pytest.mark.parametrize(
    ("build", "alt"),
    [
        (lambda report: report.figure(DIGIT, "A seven"), "A seven"),
        (lambda report: report.figure(DIGIT, "A seven", alt="The digit 7"), "The digit 7"),
        (lambda report: report.figure(DIGIT), "picture of 28 by 28 pixels"),
        (lambda report: report.table([["", "Filters"], ["Denoising", DIGIT]], caption="After 200 epochs"), None),
        (lambda report: report.table([["Filters"], [Picture(DIGIT, "caption")]]), "caption"),
    ],
)
def test_every_picture_has_words(build, alt):
    assert page(build).all("img")[0][1]["alt"] == (alt or "After 200 epochs, Denoising, Filters")


def test_a_table_has_a_header_row_and_names_its_rows():
    rows = [["model", "cost"], ["autoencoder", 69.3], ["denoising", "75.9969"]]
    found = page(lambda report: report.table(rows, caption="Costs"))
    assert found.texts("th", scope="col") == ["model", "cost"]
    assert found.texts("th", scope="row") == ["autoencoder", "denoising"]
    assert found.texts("td", **{"class": "number"}) == ["69.3", "75.9969"]
    assert found.texts("caption") == ["Costs"]
    assert page(lambda report: report.table(rows, header=False)).texts("th", scope="col") == []


def test_on_a_phone_each_picture_stands_under_its_columns_name():
    found = page(lambda report: report.table([["Original", "Autoencoder"], [DIGIT, DIGIT]]))
    assert [attrs["data-column"] for _, attrs, _ in found.all("td")] == ["Original", "Autoencoder"]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda report: report.table("abc"), "rows: found a string, expected a sequence of rows"),
        (lambda report: report.table([]), "rows: found no cells"),
        (lambda report: report.table([[]]), "rows: found no cells"),
        (lambda report: report.table(["abc"]), "row 1: found a str, expected a sequence of cells"),
        (lambda report: report.table([["a", "b"], ["c"]]), "row 2: found 1 cells, expected 2, as in the first row"),
        (lambda report: report.table([["a"], [{}]]), "row 2, column 1: found a dict, expected a string, a number"),
        (lambda report: report.table([["a"], [np.zeros(3)]]), r"picture: found shape \(3,\)"),
        (lambda report: report.figure(np.full((2, 2), 7.0)), "picture: found float64 values from 7.0 to 7.0"),
        (lambda report: report.figure(DIGIT, zoom=0), "zoom: found 0, expected an integer, at least 1"),
        (lambda report: report.figure(Picture(DIGIT), "caption"), "image: found a Picture and further arguments"),
        (lambda report: report.facts({"x": [1]}), "fact 'x': found a list"),
        (lambda report: report.facts({"x": DIGIT}), "fact 'x': found a picture"),
        (lambda report: report.heading("x", level=1), "level: found 1, expected an integer from 2 to 6"),
        (lambda report: report.curve([1, 2]), "series: found a list, expected a mapping"),
        (lambda report: report.curve({"a": ["x"]}), "series 'a': found a list, expected numbers"),
        (lambda report: report.curve({"a": [[1, 2]]}), r"series 'a': found shape \(1, 2\), expected one dimension"),
        (lambda report: report.curve({"a": {np.nan: 1}}), "series 'a': found an x that is not a finite number"),
    ],
)
def test_what_cannot_be_shown_is_refused_at_once(build, message):
    with pytest.raises(InputError, match=message):
        build(Report("x"))


def test_facts_are_names_and_values():
    found = page(lambda report: report.facts({"run time": "63.1 s", "epochs": 200, "rate": 0.1}))
    assert found.texts("dt") == ["run time", "epochs", "rate"]
    assert found.texts("dd") == ["63.1 s", "200", "0.1"]


def test_output_keeps_its_lines_and_spaces():
    assert page(lambda report: report.code("\nepoch   1\n  cost  2\n")).texts("pre") == ["\nepoch   1\n  cost  2"]


def test_versions_name_what_ran():
    found = versions()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["symae"] == symae.__version__
    assert found["numpy"] == np.__version__
    assert found["pytensor"]
    assert int(found["cores"]) >= 1
    page(lambda report: report.facts(found))


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    example().write(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == example().html()
    with pytest.raises(UnwritableError):
        example().write(tmp_path / "missing" / "report.html")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_file_name_with_undecodable_bytes_can_be_reported(tmp_path):
    Report("data\udcff.npz").write(tmp_path / "report.html")
    assert "data?.npz" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_notebook_shows_the_page_in_a_frame():
    report = example()
    frame = Page(report._repr_html_()).all("iframe")[0][1]
    assert frame["srcdoc"] == report.html()
    assert frame["title"] == "Autoencoder"


def test_importing_does_not_wait_for_the_template_engine():
    code = "import sys, symae.report; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# curves

ordinary = st.floats(-1e6, 1e6)
any_float = st.floats(allow_nan=True, allow_infinity=True)


@settings(deadline=None)
@given(st.floats(-1e290, 1e290), st.floats(1e-6, 1e290), st.integers(2, 10))
def test_ticks_are_round_numbers_that_cover_the_range(low, width, count):
    high = low + max(width, abs(low) * 1e-6)
    ticks = nice_ticks(low, high, count)
    step = (ticks[-1] - ticks[0]) / (len(ticks) - 1)
    slack = 1e-6 * step
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert len(ticks) <= count + 3
    digits = f"{step:.3e}".partition("e")[0]
    assert digits in {"1.000", "2.000", "5.000"}
    np.testing.assert_allclose(np.diff(ticks), step, rtol=1e-6)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (69.28, 138.4, [60, 80, 100, 120, 140]),
        (0.131, 0.225, [0.12, 0.14, 0.16, 0.18, 0.2, 0.22, 0.24]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (0, 1e-7, [0, 2e-8, 4e-8, 6e-8, 8e-8, 1e-7]),
    ],
)
def test_ticks_are_what_a_person_would_choose(low, high, ticks):
    assert nice_ticks(low, high, 5) == ticks


@settings(deadline=None)
@given(st.lists(any_float, max_size=80), st.lists(any_float, max_size=80))
def test_every_drawn_point_lies_in_the_frame_and_ticks_are_told_apart(first, second):
    for plot in curve({"a": first, "b": second}, "x", "y").plots:
        corners = [tuple(map(float, pair.split())) for line in plot.lines for pair in re.findall(r"[\d.]+ [\d.]+", line.path)]
        corners += [dot for line in plot.lines for dot in line.dots]
        drawable = [value for value in first + second if abs(value) < 1e300]
        assert bool(corners) == bool(drawable)
        assert all(plot.left - 0.1 <= x <= plot.right + 0.1 for x, _ in corners)
        assert all(plot.top - 0.1 <= y <= plot.bottom + 0.1 for _, y in corners)
        assert len({tick.label for tick in plot.y_ticks}) == len(plot.y_ticks) == len({tick.position for tick in plot.y_ticks})
        assert len({tick.label for tick in plot.x_ticks}) == len(plot.x_ticks)


def wide(series):
    return curve(series, "epoch", "cost").plots[0]


def test_no_values_are_an_empty_frame_that_says_so():
    assert wide({"a": []}).lines[0].path == ""
    assert "no values" in page(lambda report: report.curve({"a": []})).texts("text")
    assert "no values" in page(lambda report: report.curve({})).texts("text")
    assert "no values" in page(lambda report: report.curve({"a": [np.nan, np.inf]})).texts("text")


def test_one_value_is_a_dot_in_the_middle():
    plot = wide({"a": [3.25]})
    assert plot.lines[0].path == ""
    ((x, _),) = plot.lines[0].dots
    assert x == pytest.approx((plot.left + plot.right) / 2, abs=0.1)
    assert [tick.label for tick in plot.x_ticks] == ["1"]


@pytest.mark.parametrize("value", [0.0, 2.5, -1e-12, 1e12])
def test_a_constant_series_is_a_level_line_inside_the_frame(value):
    plot = wide({"a": [value] * 5})
    heights = {y for _, y in plot.lines[0].dots}
    assert len(heights) == 1
    assert plot.top < heights.pop() < plot.bottom


def test_values_that_are_no_numbers_leave_a_gap_and_are_counted():
    chart = curve({"a": [1, 2, np.nan, 3, np.inf, 4, 5]}, "epoch", "cost")
    assert chart.plots[0].lines[0].path.count("M") == 2
    assert len(chart.plots[0].lines[0].dots) == 5
    found = page(lambda report: report.curve({"a": [1, np.nan, np.inf, 2]}))
    assert "2 values are not finite numbers and are not drawn." in found.texts("figcaption")[0]


def test_a_mapping_gives_the_places_on_the_axis_in_any_order():
    plot = wide({"a": {20: 1.0, 0: 3.0, 10: 2.0}})
    assert [tick.label for tick in plot.x_ticks] == ["0", "2", "4", "6", "8", "10", "12", "14", "16", "18", "20"]
    heights = [y for _, y in plot.lines[0].dots]
    assert heights == sorted(heights)


def test_epochs_have_no_fractions_on_the_axis():
    assert [tick.label for tick in wide({"a": [3, 2, 1]}).x_ticks] == ["1", "2", "3"]


@pytest.mark.parametrize("size", [5_000, 100_000])
def test_a_long_series_is_thinned_out_and_keeps_its_peaks(size):
    y = np.random.RandomState(0).rand(size)
    y[size // 2], y[size // 3] = 7, -7
    kept = thin_out(np.arange(size), y, 400)
    assert len(kept) <= 1600
    assert {0, size // 2, size // 3, size - 1} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()
    assert len(page(lambda report: report.curve({"a": y})).texts("svg")) == 3


@settings(deadline=None)
@given(st.lists(ordinary, min_size=1, max_size=300), st.integers(1, 20))
def test_thinning_out_keeps_each_columns_lowest_and_highest_point(y, columns):
    x, y = np.arange(len(y), dtype=float), np.array(y)
    kept = thin_out(x, y, columns)
    if len(y) <= 4 * columns:
        assert len(kept) == len(y)
        return
    column = np.minimum(x / x[-1] * columns, columns - 1).astype(int)
    for number in np.unique(column):
        whole, thin = y[column == number], y[kept][column[kept] == number]
        assert (thin.min(), thin.max(), thin[0], thin[-1]) == (whole.min(), whole.max(), whole[0], whole[-1])


def test_a_curve_is_told_in_words_and_its_series_are_named():
    found = page(lambda report: report.curve({"autoencoder": {0: 132.518026, 190: 69.275876}}, title="Training cost"))
    assert found.texts("title")[1:] == ["Training cost"] * 2
    words = "autoencoder: 2 values, from 132.518 at epoch 0 to 69.2759 at epoch 190; lowest 69.2759, highest 132.518."
    assert found.texts("desc") == [words] * 2
    assert found.texts("li")[0].split() == ["autoencoder", "69.2759"]
    drawings = [attrs for _, attrs, _ in found.all("svg", role="img")]
    ids = {attrs["id"] for _, attrs, _ in found.elements if "id" in attrs}
    assert all(set(attrs["aria-labelledby"].split()) <= ids for attrs in drawings)


def test_the_pointer_reads_the_values_themselves():
    found = page(lambda report: report.curve({"a": {0: 132.518026, 10: 80.232354}}, x_label="epoch"))
    assert json.loads(found.texts("script", type="application/json")[0]) == {
        "label": "epoch",
        "series": [[[0, 10], [132.518026, 80.232354]]],
    }


def test_series_beyond_the_palette_begin_it_again():
    styles = [line.style for line in wide({str(i): [1, 2] for i in range(8)}).lines]
    assert styles == [0, 1, 2, 3, 4, 5, 0, 1]


# in a browser

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PROBE = """
<!DOCTYPE html><title>waiting</title>
<iframe style="border: 0; width: %dpx; height: 844px" srcdoc="%s"></iframe>
<script>
addEventListener("load", () => {
  const frame = document.querySelector("iframe");
  const { contentDocument: page, contentWindow: view } = frame;
  const chart = page.querySelector("figure.curve");
  const drawing = [...chart.querySelectorAll("svg[role=img]")].find((svg) => svg.clientWidth);
  const box = drawing.getBoundingClientRect();
  drawing.dispatchEvent(new view.PointerEvent("pointermove", { clientX: box.left + box.width / 2, clientY: box.top + 50 }));
  const found = {
    viewport: view.innerWidth,
    width: page.documentElement.scrollWidth,
    images: [...page.images].every((image) => image.complete && image.naturalWidth > 0),
    requests: view.performance.getEntriesByType("resource").map((entry) => entry.name.slice(0, 5)),
    drawing: drawing.getAttribute("class"),
    read: chart.querySelector(".legend").textContent.replace(/\\s+/g, " ").trim(),
    rendering: view.getComputedStyle(page.images[0]).imageRendering,
  };
  frame.remove();
  document.title = JSON.stringify(found);
});
</script>
"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium to open the page in")
@pytest.mark.parametrize(("width", "drawing"), [(390, "narrow"), (1280, "wide")])
def test_a_browser_shows_the_page_without_errors_requests_or_sideways_scrolling(tmp_path, width, drawing):
    probe = tmp_path / "probe.html"
    probe.write_text(PROBE % (width, html.escape(example().html())), encoding="utf-8")
    quiet = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-sync",
        "--hide-scrollbars",
    )
    offline = ("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=5000")
    log = ("--enable-logging=stderr", "--v=0", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,900")
    ran = subprocess.run(
        [BROWSER, *quiet, *offline, *log, "--dump-dom", probe.as_uri()], capture_output=True, timeout=120, check=False
    )
    assert [line for line in ran.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line] == []
    title = re.search("<title>(.*?)</title>", ran.stdout.decode(), re.DOTALL)
    found = json.loads(html.unescape(title.group(1)))
    assert found["viewport"] == found["width"] == width
    assert found["images"]
    assert set(found["requests"]) <= {"data:"}
    assert found["drawing"] == drawing
    assert found["read"] == "autoencoder 80.2324 denoising 87.1628 epoch 10"
    assert found["rendering"] == "pixelated" or width == 390
