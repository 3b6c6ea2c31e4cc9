"""``symae inspect``, ``filters``, ``graph`` and ``export`` at the terminal."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from inspector_runs import write_run
from PIL import Image

import symae
from symae.cli.main import main
from symae.errors import InputError
from symae.inspector.export import export_html
from symae.inspector.runs import open_run


def refused(capsys, *arguments):
    """Return the one line of an error with status 2."""
    try:
        status = main(list(map(str, arguments)))
    except SystemExit as error:
        status = error.code
    (line,) = capsys.readouterr().err.splitlines()
    assert status == 2
    return line


def test_filters_are_written_as_asked(run, tmp_path, capsys):
    out = tmp_path / "filters.png"
    arguments = ["--tile", "4x10", "--spacing", "2x3", "--sort", "norm", "--zoom", "2"]
    arguments += ["--scaling", "zero", "--colours", "diverging"]
    assert main(["filters", str(run), "-o", str(out), *arguments]) == 0
    with Image.open(out) as image:
        assert image.size == (2 * (10 * 31 - 3), 2 * (4 * 30 - 2))
        assert image.mode == "RGB"
    assert "40 of 40 filters of W" in capsys.readouterr().out


@pytest.mark.parametrize("sort", ["index", "active", "similarity"])
def test_filters_can_be_sorted(run, tmp_path, sort):
    assert main(["filters", str(run), "-o", str(tmp_path / "f.png"), "--sort", sort]) == 0


def test_a_graph_is_written_as_svg(run, tmp_path, capsys):
    assert main(["graph", str(run), "-o", str(tmp_path / "g.svg"), "--graph", "reconstruction", "--before"]) == 0
    assert (tmp_path / "g.svg").read_text().startswith("<svg")
    assert "reconstruction, as written" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["filters", "nothing"], "nothing: found no such file"),
        (["filters", "RUN", "--layer", "V"], "layer: found 'V', expected one of W"),
        (["filters", "RUN", "--model", "other"], "--model: found 'other', expected one of model"),
        (["filters", "RUN", "--tile", "3"], "expected two whole numbers such as 10x10"),
        (["filters", "RUN", "--spacing", "-1"], "expected"),
        (["filters", "RUN", "--colours", "pink"], "invalid choice"),
        (["filters", "RUN", "-o", "no/where.png"], "no/where.png"),
        (["filters", "RUN", "--data", "nothing"], "nothing: found no such"),
        (["inspect", "RUN", "--data", "nothing", "--no-browser"], "nothing: found no such"),
        (["export", "RUN", "--data", "nothing"], "nothing: found no such"),
        (["graph", "RUN", "--graph", "none"], "expected one of reconstruction, code, training step"),
        (["graph", "RUN", "--before", "--profile"], "expected the one after it"),
        (["export", "nothing"], "nothing: found no such file"),
        (["export", "RUN", "-o", "."], "found a folder"),
        (["filters", "RUN", "--shape", "8x8x3"], "--shape: found 8x8x3, expected 784 numbers, which the model sees"),
        (["filters", "RUN", "--layer", "b", "--shape", "28x28"], "layer: found 'b', expected one of W"),
        (["inspect", "RUN", "--shape", "8x8x3", "--no-browser"], "--shape: found 8x8x3, expected 784 numbers"),
        (["export", "RUN", "--shape", "8x8x3"], "--shape: found 8x8x3, expected 784 numbers"),
        (["inspect", "nothing", "--no-browser"], "nothing: found no such file"),
        (["inspect", "RUN", "--port", "99999"], "expected a whole number from 1 to 65535"),
        (["inspect"], "the following arguments are required"),
    ],
)
def test_bad_input_is_one_line_and_status_2(run, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused(capsys, *[str(run) if a == "RUN" else a for a in arguments])


@pytest.mark.parametrize(
    ("command", "name", "message"),
    [
        ("filters", "keep.txt", "found the ending '.txt', expected a name that ends in .png"),
        ("filters", "keep", "expected a name that ends in .png"),
        ("graph", "RUN/model.json", "found the ending '.json', expected a name that ends in .svg"),
        ("graph", "g.png", "expected a name that ends in .svg"),
        ("export", "keep.txt", "expected a name that ends in .html"),
        ("export", "RUN/report.html", "a file in a run's folder, which may be the run's own, expected a name that is free"),
        ("filters", "RUN/filters.png", "a file in a run's folder, which may be the run's own, expected a name that is free"),
        ("export", "afolder", "found a folder"),
        ("export", "nodir/p.html", "p.html: found no folder"),
    ],
)
def test_what_is_written_replaces_no_other_file_and_no_file_of_a_run(
    run, tmp_path, capsys, monkeypatch, command, name, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("symae.inspector.runs.Run.inspection", None)  # refused before any work is done
    (tmp_path / "afolder").mkdir()
    target = run / name[4:] if name.startswith("RUN/") else tmp_path / name
    if target.suffix and target.parent.is_dir():
        target.write_text("mine")
    assert message in refused(capsys, command, run, "-o", target)
    assert not target.is_file() or target.read_text() == "mine"


def test_an_earlier_picture_is_replaced_and_a_new_one_may_lie_beside_the_runs_files(run, tmp_path, capsys):
    for target in (tmp_path / "f.PNG", tmp_path / "f.PNG", run / "mine.png"):
        assert main(["filters", str(run), "-o", str(target), "--tile", "1x1"]) == 0
    assert "mine.png: found a file in a run's folder" in refused(capsys, "filters", run, "-o", run / "mine.png")


def test_a_shape_is_used_or_refused(run, strided, tmp_path, capsys):
    assert main(["filters", str(run), "--shape", "14x56", "--tile", "1x1", "-o", str(tmp_path / "f.png")]) == 0
    assert "56 x 14 pixels" in capsys.readouterr().out
    folder = write_run(tmp_path / "strided", strided)
    line = refused(capsys, "filters", folder, "--shape", "14x56")
    assert "--shape: found 14x56, expected 28x28, as the model says itself" in line
    line = refused(capsys, "filters", folder, "--shape", "28x28")
    assert re.search(r"--shape: found 28x28, expected \d+x\d+, as the filters of \w+ are drawn, or none$", line)
    with pytest.raises(InputError, match="image_shape: found 8x8x3, expected 784 numbers"):
        symae.inspect(run, image_shape=(8, 8, 3))


@pytest.mark.parametrize("command", ["filters", "graph", "export", "inspect"])
def test_a_damaged_record_of_a_run_is_one_line(run, tmp_path, capsys, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("symae.inspector.export.export_html", lambda *_: "")
    monkeypatch.setattr("symae.inspector.server.serve", lambda *_, **__: None)
    (run / "run.json").write_text("{")
    assert main([command, str(run)]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "run.json: found damaged JSON" in line


def test_sorting_by_activity_says_why_the_test_images_cannot_be_read(run, capsys):
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"data": "gone.npz"}))
    assert "gone.npz: found no such" in refused(capsys, "filters", run, "--sort", "active")


def test_the_filters_and_nodes_of_a_run_that_has_saved_no_model_yet_are_those_of_its_last_epoch(trained, tmp_path, capsys):
    folder = write_run(tmp_path / "going", trained, state="running", saved=False)
    assert main(["filters", str(folder), "-o", str(tmp_path / "f.png")]) == 0
    assert "filters of W, the parameters kept after epoch 2, " in capsys.readouterr().out
    assert main(["show", str(folder), "--data", "digits"]) == 0
    assert "reconstruction" in capsys.readouterr().out


def test_a_list_of_nodes_is_aligned(run, capsys):
    assert main(["show", str(run), "--data", "digits"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["  input          784", "  hidden         40", "  reconstruction 784"]


def test_a_truncated_model_is_one_line(run, capsys):
    (run / "model.safetensors").write_bytes(b"12345678")
    assert "damaged file" in refused(capsys, "filters", run)


def test_without_the_extra_the_command_says_what_to_install(run, capsys, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "starlette" else real(name, *a))
    assert 'pip install "symae[inspect]"' in refused(capsys, "inspect", run)


def test_a_port_with_a_server_is_refused(run, capsys):
    pytest.importorskip("uvicorn", reason="the extra inspect is not installed")
    from symae.inspector.server import bound_socket

    with bound_socket(None) as taken:
        port = taken.getsockname()[1]
        line = refused(capsys, "inspect", run, "--port", port, "--no-browser")
    assert f"--port: found {port}, where something listens" in line


def test_importing_symae_imports_no_server():
    code = "import sys, symae, symae.cli.main; print([m for m in ('starlette', 'uvicorn', 'numba', 'jax') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


# the exported page


def test_an_exported_page_holds_what_the_page_asks_for_and_asks_nobody(run, tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["export", str(run), "-o", str(out), "--images", "30"]) == 0
    page = out.read_text()
    assert "connect-src" not in page
    assert "default-src 'none'; script-src 'sha256-" in page
    assert not re.search(r"(src|href)=\"(?!data:)", page.replace('href="#panel"', ""))
    data = json.loads(re.search('<script type="application/json" id="exported">(.*?)</script>', page, re.DOTALL).group(1))
    assert data["runs"]["live"] is False
    assert len([key for key in data if key.startswith("0/model/unit/W/")]) == 40
    assert "0/model/graph/training step/after?backend=numba" in data
    assert not [key for key, value in data.items() if isinstance(value, dict) and "refused" in value]


def test_names_in_an_exported_page_cannot_end_its_data(trained, tmp_path):
    folder = write_run(tmp_path / "<script>alert(1)<", trained)
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"title": "</script><script>alert(1)</script><!--"}))
    page = export_html([open_run(folder, images=5)])
    assert page.count("</script") == 2
    assert "alert(1)" not in page.split('id="exported"')[0]


def test_a_worksheet_with_keep_filters_leaves_a_run_that_can_be_inspected(no_mnist, tmp_path):
    from symae.runs.catalogue import find_worksheet

    command = [sys.executable, str(find_worksheet("01")), "--epochs", "2", "--keep-filters", "--out", str(tmp_path / "r")]
    subprocess.run(command, check=True, capture_output=True, env=no_mnist, timeout=300)
    run = open_run(tmp_path / "r")
    assert list(run.kept("model")) == [0, 1]
    assert run.record["state"] == "finished"
    assert run.record["data"] == "digits"
    assert run.record["settings"]["keep_filters"] is True
    assert run.record["facts"]["hidden units"] == 100
    assert (run.record["pixel_scale"], run.record["image_shape"]) == (256, [1, 28, 28])
    saved = run.inspection("model").model.W.get_value()
    from symae.runs.parameter_snapshots import read_kept

    np.testing.assert_allclose(read_kept(run.kept("model")[1])["W"], saved, rtol=1e-3, atol=1e-6)
