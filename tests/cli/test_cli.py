"""The symae command."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest

import symae
from symae.cli import main as cli
from symae.runs.catalogue import worksheets


def test_the_version_is_that_of_the_package(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"symae {symae.__version__}\n"


def test_on_request_it_tells_what_it_stands_on_and_each_patch(capsys):
    assert cli.main(["--version", "--verbose"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == f"symae {symae.__version__}"
    assert f"  pytensor   {version('pytensor')}" in lines
    states = symae.patches.status()
    at = lines.index("  patches")
    begins = [line.split() for line in lines[at + 1 :] if re.match(r"    \S", line)]  # a reason goes on further to the right
    assert [(name, state) for name, state, *_ in begins] == [(s.name, s.state.split()[0]) for s in states]
    assert "patches" not in "".join(lines[:at])


def test_without_a_command_it_explains_itself(capsys):
    assert cli.main([]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("run", "data", "warmup"))
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("given", [["run"], ["run", "--out", "somewhere"]])
def test_run_alone_names_what_is_missing_and_the_worksheets(given, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(given)
    assert end.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith("symae run: error: found no worksheet or script, expected one of 01_autoencoder, ")
    assert line.count("\n") == 1


def test_run_hands_the_rest_to_the_worksheet(no_mnist, tmp_path):
    command = [sys.executable, "-m", "symae", "run", "01", "--epochs", "0", "--backend", "jax", "--out", str(tmp_path / "r")]
    result = subprocess.run(command, capture_output=True, text=True, env=no_mnist, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "r" / "report.html").is_file()


def test_run_takes_any_script(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "mine.py"
    script.write_text("import sys\nprint(__name__, sys.argv[1:])\n")
    assert cli.main(["run", str(script), "--a", "b"]) == 0
    assert capsys.readouterr().out == "__main__ ['--a', 'b']\n"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("notes.txt", "todo", "notes.txt: found a text that imports nothing, expected a Python program"),
        ("run.json", '{"epochs": 3}', "run.json: found a text that imports nothing, expected a Python program"),
        ("notes.txt", "Buy milk.\nCall home.\n", "notes.txt, line 1: found a syntax error"),
    ],
)
def test_a_text_that_is_no_program_is_refused_and_leaves_nothing(tmp_path, capsys, monkeypatch, name, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text)
    assert cli.main(["run", name]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("name", "text"), [("program", "print(3)\n"), ("program.txt", "import sys\nprint(3)\n")])
def test_a_program_may_have_any_name(tmp_path, capsys, monkeypatch, name, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text)
    assert cli.main(["run", name]) == 0
    assert capsys.readouterr().out == "3\n"


def test_the_help_of_a_worksheet_is_its_own(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["run", "02", "--help"])
    assert end.value.code == 0
    assert "usage: 02_denoising_autoencoder" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "99"], "worksheet: found '99', expected the path of a script, or one of 01_autoencoder"),
        (["data", "--out", "somewhere"], "--out: found somewhere and nothing to download, expected symae data mnist"),
        (["run", "mine.py"], "mine.py: found no such file, expected a worksheet or a script"),
        (["run", "."], ".: found a folder, expected a worksheet or a script"),
        (["run", "01", "--data", "gone"], "gone: found no such file or folder"),
    ],
)
def test_errors_of_the_user_are_one_line_and_status_2(capsys, arguments, message):
    assert cli.main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("symae: error: ")
    assert message in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["data", "--x"],
        ["warmup", "--backend", "cobol"],
        ["run"],
        ["run", "--epochs", "02"],
    ],
)
def test_words_it_does_not_know_are_one_line_and_status_2(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_ctrl_c_is_one_line_and_status_130(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "mine.py"
    script.write_text("raise KeyboardInterrupt\n")
    assert cli.main(["run", str(script)]) == 130
    assert capsys.readouterr().err.splitlines()[0] == "interrupted"


def test_characters_that_the_terminal_lacks_do_not_end_a_run(no_mnist, tmp_path):
    command = [sys.executable, "-m", "symae", "run", "01", "--epochs", "0", "--backend", "jax", "--out", str(tmp_path / "r")]
    env = {**no_mnist, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_defect_in_a_script_shows_its_traceback(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "mine.py"
    script.write_text("1 / 0\n")
    assert cli.main(["run", str(script)]) == 1
    assert "line 1, in <module>\n    1 / 0\n" in capsys.readouterr().err


def test_data_lists_what_is_here(capsys, no_mnist, monkeypatch):
    monkeypatch.setattr(cli, "available", lambda: ("digits",))
    monkeypatch.setattr(cli, "default", lambda: "digits")
    assert cli.main(["data"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("digits")
    assert lines[0].endswith("(used by default)")
    assert lines[1].startswith("MNIST is not here; symae data mnist downloads it")


def test_data_mnist_that_cannot_be_had_is_one_line(capsys, monkeypatch, tmp_path):
    from symae.datasets import download

    def nowhere(name, folder):
        return download.download_mnist(folder, ["http://127.0.0.1:9/"], False)

    monkeypatch.setattr(cli, "download_set", nowhere)
    assert cli.main(["data", "mnist", "--out", str(tmp_path / "m")]) == 2
    error = capsys.readouterr().err.splitlines()
    assert error[-1].startswith("symae: error: ")
    assert not list((tmp_path / "m").glob("*.gz"))


def test_data_says_what_is_read_of_a_file(capsys, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((9, 6, 4, 3), np.uint8))
    assert cli.main(["data", str(tmp_path / "a.npy")]) == 0
    assert capsys.readouterr().out == "a.npy, 7/1/1 images\n  3 x 6 x 4, bytes, no labels\n"
    assert cli.main(["data", str(tmp_path / "a.npy"), "--image-shape", "1x6x4"]) == 0
    assert "\n  1 x 6 x 4, bytes" in capsys.readouterr().out
    assert cli.main(["data", "--image-shape", "6x4"]) == 2
    assert "--image-shape: found 6x4, expected a file or folder of images" in capsys.readouterr().err
    assert cli.main(["data", str(tmp_path / "b.npy")]) == 2
    assert cli.main(["data", "imagenet"]) == 2
    assert cli.main(["data", str(tmp_path / "a.npy"), "--out", "x"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert errors[0] == f"symae: error: {tmp_path}/b.npy: found no such file, expected a readable file"
    assert errors[1].startswith(
        "symae: error: imagenet: found no such file or folder, expected one of the names mini_mnist, mnist, "
    )
    assert "x and nothing to download" in errors[2]


def test_the_help_of_run_lists_the_worksheets_with_their_titles(capsys):
    with pytest.raises(SystemExit):
        cli.main(["run", "--help"])
    assert re.search(r"^  01_autoencoder +An autoencoder with tied weights$", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.default_mode
@pytest.mark.parametrize("arguments", [["01"], ["07"], ["--backend", "jax"]])
def test_warmup_compiles_what_the_worksheets_need(arguments, no_mnist, tmp_path):
    command = [sys.executable, "-m", "symae", "warmup", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, env=no_mnist, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    warm = [line.split(" … ")[0] for line in result.stdout.splitlines()]
    assert warm == [name for name in worksheets() if arguments[0].startswith(("--", name[:2]))]
    assert not list(tmp_path.glob("out"))


SCRIPT = """
import sys
import numpy as np
import pytensor
import pytensor.tensor as pt
from symae import function

pytensor.config.mode = "FAST_COMPILE"
total = pytensor.shared(0.0)
x = pt.dvector("x")
step = function([x], total, updates=[(total, total + x.sum())])
for _ in range(200_000):
    step(np.ones(3))
assert sys.argv[1:] == ["--epochs", "3"] and total.get_value() == 3
open("result.txt", "w").write("learned")
"""


def test_warmup_runs_a_script_without_its_work(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "mine.py"
    script.write_text(SCRIPT)
    assert cli.main(["warmup", str(script), "--", "--epochs", "3"]) == 0
    captured = capsys.readouterr()
    assert re.fullmatch(r"mine\.py … \d+\.\d s\n", captured.out)
    assert captured.err == ""
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_warmup_shows_what_went_wrong_in_a_script(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "mine.py"
    script.write_text("import symae\nraise ValueError('of the script')\n")
    assert cli.main(["warmup", str(script)]) == 1
    assert "ValueError: of the script" in capsys.readouterr().err
    assert cli.main(["warmup", str(script), "--backend", "c"]) == 2
    assert capsys.readouterr().err.startswith("symae: error: --backend: found c, expected worksheets")
