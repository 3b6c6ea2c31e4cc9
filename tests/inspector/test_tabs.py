"""A tab is two files: its Python answers, its JavaScript shows, and everything that lists tabs derives from them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from inspector_runs import write_run

import symae
import symae.inspector.tabs
from symae.inspector.api.routes import ABOUT_MODELS, OF_RUNS, POSTED, Answers
from symae.inspector.assets import ASSETS, EXPORT, IMPORT, MODULES, SCRIPTS, asset, bundled
from symae.inspector.export import export_html
from symae.inspector.opened_model import OpenedModel
from symae.inspector.runs import open_run
from symae.inspector.tabs import TABS
from symae.models import Autoencoder, StridedAutoencoder

SCRIPTED = [name for name, kind in ASSETS.items() if kind == "text/javascript"]


def test_each_tab_has_its_two_files_and_nothing_else_lies_there():
    folder = Path(symae.inspector.tabs.__file__).parent
    files = {file.name for file in folder.iterdir() if file.is_file()}
    assert files == {"__init__.py", "base.py", *(f"{name}{kind}" for name in TABS for kind in (".py", ".js"))}


@pytest.mark.parametrize("name", TABS)
def test_a_tabs_javascript_adds_it_by_its_name(name):
    assert len(re.findall(rf'^addTab\("{name}", \w+\);$', asset(f"{name}.js").decode(), re.MULTILINE)) == 1
    assert f"{name}.js" in SCRIPTS


def test_the_page_is_told_its_tabs_in_their_order(run):
    tabs = json.loads(Answers([open_run(run)]).get("runs", {})[1])["tabs"]
    assert [(tab["name"], tab["title"]) for tab in tabs] == [(name, tab.title) for name, tab in TABS.items()]
    assert [tab["name"] for tab in tabs][:2] == ["filters", "reconstructions"]
    assert "training" in [tab["name"] for tab in tabs if not tab["needs_model"]]


def test_no_two_tabs_answer_the_same_path():
    for routes, found in (("answers", ABOUT_MODELS), ("posted", POSTED), ("of_runs", OF_RUNS)):
        assert sum(len(getattr(tab, routes)) for tab in TABS.values()) == len(found.keys() - {"model"})


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return what the exported page of a run keeps, by the path that the page asks for it."""
    model = StridedAutoencoder(np.random.RandomState(1), code=3, maps=(2, 3, 4))
    run = write_run(tmp_path_factory.mktemp("exported") / "strided", model, epochs=2)
    page = export_html([open_run(run, images=3)])
    return json.loads(re.search('id="exported">(.*?)</script>', page, re.DOTALL).group(1))


@pytest.mark.parametrize("name", TABS)
def test_a_tab_finds_in_an_exported_page_what_it_keeps(name, kept):
    paths = [f"0/model/{path}" for path in TABS[name].kept(kept["0/model/model"])] + list(TABS[name].of_runs)
    assert paths
    assert [path for path in paths if "refused" in kept[path]] == []


def test_an_exported_page_asks_for_a_reconstruction_by_the_digits_that_it_is_kept_under(trained, tmp_path):
    folder = write_run(tmp_path / "third", trained)
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"settings": {"noise": 1 / 3}}))
    run = open_run(folder, images=2)
    about = json.loads(Answers([run]).get("0/model/model", {})[1])
    damage = about["corruption"]
    assert damage == {"kind": "noise", "level": 1 / 3, "kept": "0.3333333333333333"}
    asked = f"reconstruct/1?kind=noise&level={damage['kept']}&seed=0"
    assert asked in list(TABS["reconstructions"].kept(about))
    json.loads(Answers([run]).get("0/model/reconstruct/1", {"kind": "noise", "level": damage["kept"], "seed": "0"})[1])


def test_an_exported_page_has_a_bound_in_bytes_and_is_told_what_has_no_room(trained, tmp_path, monkeypatch):
    run, told = open_run(write_run(tmp_path / "r", trained), images=5), []
    monkeypatch.setattr("symae.inspector.export.LARGEST_TAB", 100_000)
    page = export_html([run], told.append)
    kept = json.loads(re.search('id="exported">(.*?)</script>', page, re.DOTALL).group(1))
    about = kept["0/model/model"]
    for tab in TABS.values():
        size = sum(len(json.dumps(kept[f"0/model/{path}"])) for path in tab.kept(about) if f"0/model/{path}" in kept)
        assert size < 110_000  # with the spaces that json.dumps adds
    assert "0/model/filters/W" in kept
    assert "0/model/unit/W/0" in kept
    assert "0/model/unit/W/39" not in kept
    assert any(
        re.fullmatch(r"  Filters: (unit|best)/W/\d+ and what comes after it have no room in one file", line) for line in told
    )


def test_large_images_are_small_where_many_stand_side_by_side():
    model = Autoencoder(np.random.RandomState(0), n_visible=320 * 320, n_hidden=2)
    run = OpenedModel(symae.inspect(model, np.random.RandomState(0).rand(3, 320, 320)))
    for path, query, side in (("preferred/W/0", {"kind": "input"}, 160), ("preferred/W/0", {"kind": "mean"}, 160)):
        pictures = json.loads(Answers([run]).get(f"0/model/{path}", query)[1])["pictures"]
        assert (pictures["w"], pictures["h"]) == (side, 2 * side)
    unit = json.loads(Answers([run]).get("0/model/unit/W/1", {})[1])
    assert (unit["most"]["pictures"]["w"], unit["picture"]["w"]) == (107, 320)
    images = json.loads(Answers([run]).get("0/model/images/0", {"count": "2"})[1])
    assert images["pictures"]["h"] == 2 * 320


def test_modules_import_what_others_export_and_come_after_them():
    exported: dict[str, set[str]] = {}
    for name in MODULES:
        text = asset(name).decode()
        for wanted, source in IMPORT.findall(text):
            assert {part.strip() for part in wanted.split(",")} <= exported[source]
        assert text.count("\nimport ") + text.startswith("import ") == len(IMPORT.findall(text))
        assert len(re.findall("^export ", text, re.MULTILINE)) == len(EXPORT.findall(text))
        exported[name] = {exported_name for _, exported_name in EXPORT.findall(text)}
    assert sorted(MODULES) == sorted(SCRIPTED)


def test_the_exported_pages_script_is_all_modules_without_imports():
    text = bundled()
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)
    assert text.count(" = (() => {\n") == len(MODULES)
