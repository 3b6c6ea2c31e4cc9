"""The README says what is true."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import get_type_hints

import pytest
from pytensor.tensor.variable import TensorVariable

import symae
from symae import nn, ops
from symae.runs.catalogue import title_of, worksheets

ROOT = Path(__file__).parents[1]
CI = ROOT / ".ci" / "run"
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
SNIPPETS = PYTHON.findall(README)
OWN_CODE = PYTHON.findall((ROOT / "docs" / "own_code.md").read_text())


def test_the_first_two_commands_are_one_line_each_and_do_all_the_set_up():
    main_job, tests = COMMANDS[:2]
    for command in (main_job, tests):
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install")
    assert main_job.endswith("worksheets/01_autoencoder.py\n")
    assert tests.endswith("-m pytest -n auto\n")


def test_ci_takes_its_test_command_from_the_readme():
    script = CI.read_text()
    assert "README.md" in script
    assert COMMANDS[1].strip() not in script


def test_what_the_test_command_leaves_out_is_a_stage_of_ci():
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    left_out = set(re.findall(r"not (\w+)", options["addopts"])) - {"long"}
    (stages,) = re.findall(r"^stages=\((.*)\)$", CI.read_text(), re.MULTILINE)
    assert left_out < set(stages.split())
    done = subprocess.run([CI, "lint", "all"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"found stage all, expected of {stages}\n")


def test_ci_contributors_page_and_hosted_machines_have_the_same_stages():
    (stages,) = re.findall(r"^stages=\((.*)\)$", CI.read_text(), re.MULTILINE)
    told = re.findall(r"^#   (\w+)  ", CI.read_text(), re.MULTILINE)
    table = re.findall(r"^\| `(\w+)` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert told == table == stages.split()
    hosted = (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    lists = ", ".join(re.findall(r"stage: \[(.*)\]", hosted)).split(", ")
    assert {*lists, *re.findall(r"stage: (\w+),", hosted)} == set(stages.split())


def test_contributors_page_names_the_folders_that_ci_leaves_out_on_the_newest_python():
    (left_out,) = re.findall(r"marked backends --ignore=tests/\{(.*)\}", CI.read_text())
    page = (ROOT / "CONTRIBUTING.md").read_text()
    (told,) = re.findall(r"on Python 3.13 not those of (.*) \|", page)
    assert sorted(left_out.split(",")) == sorted(re.split(", | and the ", told.lower()))
    assert all((ROOT / "tests" / folder).is_dir() for folder in left_out.split(","))


@pytest.fixture
def pasted(no_mnist, tmp_path):
    """Return what a Python example prints that is pasted as it is, in an empty folder, without MNIST."""

    def run(example: str, **environment: str) -> str:
        environment = no_mnist | {"PYTHONPATH": str(ROOT)} | environment
        command = [sys.executable, "-c", example]
        result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run


INTERPRETED = {"PYTENSOR_FLAGS": "mode=FAST_COMPILE"}
COMPILED = pytest.param({}, marks=pytest.mark.long, id="compiled")


def test_the_legacy_example_runs_as_pasted(pasted):
    said = re.fullmatch(r"nats per image: (.*) before training, (.*) after an epoch\n", pasted(SNIPPETS[0]))
    before, after = map(float, said.groups())
    assert after < before / 2


def test_the_modern_example_runs_as_pasted(pasted, tmp_path):
    said = re.fullmatch(r"100 numbers for each of 5000 images; mean error of a pixel (.*)\n", pasted(SNIPPETS[1]))
    assert 0 < float(said[1]) < 0.1
    assert (tmp_path / "denoising.json").is_file()


@pytest.mark.parametrize("environment", [pytest.param(INTERPRETED, id="interpreted"), COMPILED])
def test_the_example_with_images_runs_as_pasted(pasted, environment):
    assert pasted(SNIPPETS[2], **environment) == "[(2, 3, 2, 2), (2, 1, 8, 8), (3, 1, 5, 5), (3, 1, 5, 5)]\n"


@pytest.mark.docs
@pytest.mark.parametrize("environment", [pytest.param(INTERPRETED, id="interpreted"), COMPILED])
def test_the_example_of_layers_trains_as_pasted_and_knows_when_it_is_done(pasted, environment):
    first, again = (pasted(OWN_CODE[3], **environment) for _ in range(2))
    assert [line.split(",")[0] for line in first.splitlines()] == ["Training epoch 0", "Training epoch 1", "2 epochs"]
    assert again.splitlines()[-1] == first.splitlines()[-1]
    assert "Training epoch" not in again


def test_the_examples_that_both_have_are_the_same():
    assert OWN_CODE[:3] == SNIPPETS


@pytest.mark.docs
def test_the_example_of_data_runs_as_printed(no_mnist, tmp_path):
    (snippet,) = PYTHON.findall((ROOT / "docs" / "data.md").read_text())
    environment = no_mnist | {"PYTHONPATH": str(ROOT)} | INTERPRETED
    result = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert result.stdout.splitlines() == [
        "mine.npz, 50/10/10 images (3, 8, 8) 4",
        "(50, 64) (10,)",
        "(35, 35, 3)",
    ], result.stderr


@pytest.mark.docs
def test_the_example_of_weights_prints_what_its_page_says(no_mnist, tmp_path):
    page = (ROOT / "docs" / "weights.md").read_text()
    (snippet,), (printed,) = (re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("python", "text"))
    environment = no_mnist | {"PYTHONPATH": str(ROOT)} | INTERPRETED
    result = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert result.stdout == printed, result.stderr


def test_what_returns_tensors_says_so():
    """Otherwise mypy knows of no ``mean`` where the layers' example takes one."""
    for function in (nn.binary_cross_entropy, nn.conv, nn.max_pool, nn.dense, nn.relu, ops.conv2d, ops.pool2d, ops.deconv2d):
        assert get_type_hints(function)["return"] is TensorVariable
    assert (Path(symae.__file__).parent / "py.typed").is_file()


# PyTensor's own, of its functions without types and of pt.grad and shared, which it does not export by name
OF_PYTENSOR = re.compile(
    r'untyped function "(mean|shared)"|"pytensor(\.tensor)?" does not explicitly export|Expected iterable as variadic'
)


@pytest.mark.default_mode
def test_the_examples_are_typed_for_mypy(tmp_path):
    """mypy --strict has nothing to say of what symae gives, and of examples that call only symae nothing at all."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    inspecting = PYTHON.findall((ROOT / "docs" / "inspector.md").read_text())
    examples = [*OWN_CODE, *inspecting]
    files = [tmp_path / f"example{number}.py" for number in range(len(examples))]
    for file, snippet in zip(files, examples, strict=True):
        file.write_text(snippet)
    flags = ["--strict", "--follow-imports=normal", "--config-file", os.devnull, "--cache-dir", str(tmp_path / "cache")]
    command = [sys.executable, "-m", "mypy", *flags, *(file.name for file in files)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"MYPYPATH": str(ROOT)})
    assert result.returncode < 2, result.stderr
    said = [line for line in result.stdout.splitlines() if line.startswith("example")]
    assert [line for line in said if not OF_PYTENSOR.search(line)] == []
    of_pytensor_too = {
        file.name for file, snippet in zip(files, examples, strict=True) if re.search(r"^import pytensor", snippet, re.M)
    }
    assert {line.partition(":")[0] for line in said} <= of_pytensor_too < {file.name for file in files}


def test_the_package_has_the_worksheets_the_page_and_no_pictures(tmp_path):
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    sheets = {f"symae/worksheets/{path.name}" for path in (ROOT / "worksheets").glob("*.py")}
    assert {name for name in names if name.startswith("symae/worksheets/")} == sheets
    assert {"symae/datasets/digits.npz", "symae/inspector/tabs/filters.js", "symae/inspector/page/app.js"} <= names
    assert not [name for name in names if name.endswith(".png")]


TUTORIAL = (ROOT / "docs" / "tutorial" / "index.md").read_text()
WORKSHEETS = re.findall(r"^\| \[`(\d\d_\w+)\.py`\]\(\1\.md\) \| (.*) \|$", TUTORIAL, re.MULTILINE)


def test_the_tutorials_table_has_all_worksheets():
    assert [name for name, _ in WORKSHEETS] == list(worksheets())


@pytest.mark.parametrize(("name", "words"), WORKSHEETS)
def test_the_tutorials_table_begins_with_what_each_calls_itself(name, words):
    title = title_of(worksheets()[name])
    assert words.startswith(title[0].lower() + title[1:])


def test_the_package_page_has_words_where_the_repository_has_pictures():
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    page = runpy.run_path(str(ROOT / "hatch_build.py"))["without_pictures"](README)
    assert re.findall(r"!\[", README)
    assert not re.findall(r"!\[|\]\((?!https?:)", page)
    assert "A map of test digits by their codes of ten numbers" in page


def test_it_is_one_page_with_three_examples():
    assert README.count("\n") <= 120
    assert len(SNIPPETS) == 3


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)]+)\)", README))
def test_every_file_that_it_shows_or_links_to_is_there(target):
    assert (ROOT / target).is_file()
