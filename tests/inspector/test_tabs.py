"""A tab is two files: its Python answers, its JavaScript shows, and everything that lists tabs derives from them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from inspector_runs import write_run

import symae.inspector.tabs
from symae.inspector.api.routes import ABOUT_MODELS, OF_RUNS, POSTED, Answers
from symae.inspector.assets import ASSETS, EXPORT, IMPORT, MODULES, SCRIPTS, asset, bundled
from symae.inspector.export import export_html
from symae.inspector.runs import open_run
from symae.inspector.tabs import TABS
from symae.models import StridedAutoencoder

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
