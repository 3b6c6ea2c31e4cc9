"""The worksheets as notebooks: what each shows, and where."""

from __future__ import annotations

import base64
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symae.report import NotebookReport, Picture
from symae.runs.catalogue import worksheets

pytest.importorskip("ipykernel", reason="ipykernel is not installed")
jupytext = pytest.importorskip("jupytext", reason="jupytext is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")

pytestmark = pytest.mark.filterwarnings("ignore")  # of Jupyter's

ROOT = Path(__file__).parents[2]
FEW = ["--epochs", "2", "--backend", "jax"]
IMAGES = [*FEW, "--images", "256"]
# the worksheet's options, how many pictures it shows, and how many curves
SHOWN = {
    "01_autoencoder": (["--epochs", "2"], 1, 1),
    "02_denoising_autoencoder": (["--epochs", "2"], 3, 1),
    "03_image_autoencoder": ([*FEW, "--maps", "3", "--pool", "4"], 2, 1),
    "04_convolutional_autoencoder": (IMAGES, 3, 1),
    "05_image_denoising": (IMAGES, 2, 1),
    "06_any_resolution": ([*IMAGES, "--resolution", "40"], 3, 1),
    "07_porting_theano": (["--epochs", "1", "--backend", "jax"], 0, 0),
    "08_natural_patches": ([*FEW, "--data", "digits", "--patches", "2000", "--units", "16", "--active", "2"], 2, 1),
}


def executed(notebook, folder, monkeypatch):
    """Run a notebook in an empty folder without MNIST; return the data that its cells show, by media type, one list a cell."""
    (folder / "no data").mkdir()
    monkeypatch.setenv("SYMAE_DATA", str(folder / "no data"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    return [[output.data for output in cell.get("outputs", []) if "data" in output] for cell in notebook.cells]


def of_type(cells, media):
    return [data[media] for cell in cells for data in cell if media in data]


def test_all_worksheets_are_looked_at():
    assert list(worksheets()) == list(SHOWN)


@pytest.mark.notebooks
@pytest.mark.parametrize("name", SHOWN)
def test_a_worksheet_shows_its_pictures_tables_and_curves_where_it_adds_them(name, tmp_path, monkeypatch):
    options, pictures, curves = SHOWN[name]
    notebook = jupytext.read(ROOT / "worksheets" / f"{name}.py")
    assert notebook.metadata.kernelspec.name == "python3"
    chosen = f"import functools, symae.runs.worksheet as w\nw.Worksheet = functools.partial(w.Worksheet, argv={options})"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(chosen))
    cells = executed(notebook, tmp_path, monkeypatch)
    found = of_type(cells, "image/png")
    assert (len(found), len(of_type(cells, "image/svg+xml"))) == (pictures, curves)
    for png in found:
        with Image.open(io.BytesIO(base64.b64decode(png))) as image:
            assert min(image.size) > 60
            assert len(image.getcolors(1 << 24)) > 2
    # no array and no bytes in words
    assert max(map(len, of_type(cells, "text/plain"))) < 1000
    assert of_type(cells[-1:], "text/html")[-1].startswith(f'<a href="out/{name}/report.html"')
    assert (tmp_path / "out" / name / "report.html").is_file()


def test_what_a_report_shows_in_a_notebook(monkeypatch):
    seen = []
    monkeypatch.setattr("symae.report.notebook._display", lambda data, metadata=None: seen.append((data, metadata)))
    report = NotebookReport("title")
    report.heading("Filters & more")
    report.table([["a", "b"], [Picture(np.eye(10), "left"), np.zeros((10, 20))]])
    report.figure(np.eye(20), "a mask")
    report.curve({"one": [3.0, 2.0], "two": {0: 1.0, 1: 2.0}})
    report.table([["epoch", "cost"], ["0", "12.5"]])
    report.showing = False
    report.code("no more")
    kinds = [next(iter(data)) for data, _ in seen]
    assert kinds == ["text/html", "image/png", "image/png", "image/svg+xml", "text/html"]
    (heading, _), (table, words), (figure, _), (curve, _), (numbers, _) = seen
    assert heading["text/html"] == "<h4>Filters &amp; more</h4>"
    assert words == {"image/png": {"alt": "left; b"}}
    with Image.open(io.BytesIO(table["image/png"])) as image:
        assert image.width > 2 * 280
    with Image.open(io.BytesIO(figure["image/png"])) as image:
        assert np.asarray(image.convert("L")).min() == 0
    assert re.findall(r">((?:one|two): [\d.]+)<", curve["image/svg+xml"]) == ["one: 2", "two: 2"]
    assert curve["text/plain"].startswith("one: 2 values, from 3 at epoch 1 to 2 at epoch 2")
    assert "<td" in numbers["text/html"]
    assert "no more" in report.html()


def test_a_picture_shows_itself_enlarged_and_says_no_more_than_its_words():
    picture = Picture(np.eye(10), "the identity")
    with Image.open(io.BytesIO(picture._repr_png_())) as image:
        assert image.size == (280, 280)
    assert repr(picture) == "Picture(caption='the identity', alt=None, zoom=None)"
