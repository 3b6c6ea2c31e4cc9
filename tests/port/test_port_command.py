"""symae port: where its results go, and that nothing of the user's is lost."""

from __future__ import annotations

import subprocess
import sys

import pytest

from symae.cli import main as cli

OLD = "import theano\nprint theano.config.floatX\nx = a / b\n"
NEW = "import symae.theano as theano\nprint(theano.config.floatX)\nx = a / b\n"


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "old.py"
    path.write_text(OLD)
    path.chmod(0o755)
    return path


def run(capsys, *arguments):
    status = cli.main(["port", *map(str, arguments)])
    out, err = capsys.readouterr()
    return status, out, err


def test_it_prints_the_program_and_lists_what_needs_a_look(script, capsys):
    status, out, err = run(capsys, script)
    assert (status, out) == (0, NEW)
    assert err.splitlines()[-2:] == [
        f"{script}: for a human's eye",
        "  line 3: Python 2 rounded this quotient down if both sides are whole numbers: write // if they are",
    ]
    assert script.read_text() == OLD


def test_it_writes_where_nothing_is_yet_with_the_same_rights(script, tmp_path, capsys):
    out = tmp_path / "new.py"
    assert run(capsys, script, "-o", out)[:2] == (0, "")
    assert out.read_text() == NEW
    assert out.stat().st_mode == script.stat().st_mode
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new.py", "old.py"]


@pytest.mark.parametrize("name", ["bad.npz", "notes.html", "data.pkl"])
def test_text_in_a_file_of_another_kind_is_not_taken_for_a_program(tmp_path, capsys, name):
    (tmp_path / name).write_text("nothing\n")
    status, out, err = run(capsys, tmp_path / name)
    assert (status, out) == (2, "")
    assert f"{name}: found a {(tmp_path / name).suffix} file, expected a Python program" in err


@pytest.mark.parametrize("name", ["old", "old.py.orig", "old.txt"])
def test_a_program_may_be_called_otherwise(tmp_path, capsys, name):
    (tmp_path / name).write_text(OLD)
    assert run(capsys, tmp_path / name)[:2] == (0, NEW)


def test_a_diff_is_a_patch(script, capsys):
    status, out, _ = run(capsys, script, "--diff")
    assert status == 0
    assert out.splitlines()[:4] == [f"--- {script}", f"+++ {script} (ported)", "@@ -1,3 +1,3 @@", "-import theano"]
    assert "+print(theano.config.floatX)" in out
    script.write_text(NEW)
    assert run(capsys, script, "--diff")[1] == ""


def test_what_is_read_by_a_program_is_stored_as_the_source_is(script, capfdbinary):
    script.write_bytes(b"# coding: latin-1\r\nprint '\xe9'\r\n")
    assert cli.main(["port", str(script)]) == 0
    assert capfdbinary.readouterr().out == b"# coding: latin-1\r\nprint('\xe9')\r\n"
    assert cli.main(["port", str(script), "--diff"]) == 0
    assert capfdbinary.readouterr().out.endswith(b" # coding: latin-1\r\n-print '\xe9'\r\n+print('\xe9')\r\n")


def test_a_library_that_is_missing_is_one_line_for_a_whole_folder(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "fissix", None)
    status, _, err = run(capsys, folder, "--diff")
    assert (status, len(err.splitlines())) == (2, 1)
    assert "symae[port]" in err


def test_in_place_keeps_a_backup_and_never_writes_over_one(script, capsys):
    backup = script.with_name("old.py.orig")
    assert run(capsys, script, "--in-place")[0] == 0
    assert (script.read_text(), backup.read_text()) == (NEW, OLD)
    assert script.stat().st_mode == backup.stat().st_mode
    assert run(capsys, script, "--in-place")[0] == 0  # nothing to change
    script.write_text("print 2\n")
    status, _, err = run(capsys, script, "--in-place")
    assert status == 2
    assert "old.py.orig: found a backup of before" in err
    assert (script.read_text(), backup.read_text()) == ("print 2\n", OLD)


def test_in_place_through_a_link_changes_what_it_points_to(script, tmp_path, capsys):
    link = tmp_path / "link.py"
    link.symlink_to(script)
    assert run(capsys, link, "--in-place")[0] == 0
    assert link.is_symlink()
    assert script.read_text() == NEW


@pytest.fixture
def folder(script, tmp_path):
    source = tmp_path / "scripts"
    (source / "data").mkdir(parents=True)
    (source / "data" / "deep.py").write_text(OLD)
    (source / "data" / "x.bin").write_bytes(b"\0print 1")
    (source / "same.py").write_text("x = 1\n")
    script.rename(source / "old.py")
    return source


def test_of_a_folder_the_whole_tree_is_copied_and_its_programs_ported(folder, tmp_path, capsys):
    out = tmp_path / "new"
    assert run(capsys, folder, "-o", out)[0] == 0
    assert (out / "old.py").read_text() == (out / "data" / "deep.py").read_text() == NEW
    assert (out / "data" / "x.bin").read_bytes() == b"\0print 1"
    assert (out / "old.py").stat().st_mode == (folder / "old.py").stat().st_mode
    assert (folder / "old.py").read_text() == OLD
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new", "scripts"]


def test_a_folder_in_place(folder, capsys):
    assert run(capsys, folder, "--in-place")[0] == 0
    assert {p.name for p in folder.rglob("*.orig")} == {"old.py.orig", "deep.py.orig"}
    assert (folder / "data" / "deep.py").read_text() == NEW


def test_one_backup_in_the_way_stops_a_folder_before_it_begins(folder, capsys):
    (folder / "old.py.orig").write_text("mine\n")
    assert run(capsys, folder, "--in-place")[0] == 2
    assert (folder / "data" / "deep.py").read_text() == OLD


def test_one_bad_file_of_a_folder_is_named_and_left_as_it_is(folder, tmp_path, capsys):
    (folder / "bad.py").write_text("def f(:\n")
    out = tmp_path / "new"
    status, _, err = run(capsys, folder, "-o", out)
    assert status == 2
    assert "bad.py, line 1: found 'def f(:'" in err.splitlines()[-1]
    assert (out / "bad.py").read_text() == "def f(:\n"
    assert (out / "old.py").read_text() == NEW


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.py"], "gone.py: found no such file or folder"),
        (["bad.py"], "bad.py, line 1: found 'x = = 1', expected Python 2 or 3"),
        (["zip.py"], "zip.py: found binary data"),
        (["old.py", "-o", "bad.py"], "bad.py: found something there already"),
        (["old.py", "-o", "nowhere/new.py"], "nowhere: found no such folder"),
        (["folder"], "folder: found a folder, expected -o FOLDER"),
        (["folder", "--diff"], "folder: found no Python program"),
        (["folder", "-o", "new"], "folder: found no Python program"),
        (["folder", "-o", "folder/new"], "folder/new: found a path inside of folder"),
        (["folder", "-o", "bad.py"], "bad.py: found something there already"),
    ],
)
def test_bad_input_is_one_line_and_status_2_and_nothing_is_written(script, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.py").write_text("x = = 1\n")
    (tmp_path / "zip.py").write_bytes(b"PK\x03\x04")
    (tmp_path / "folder").mkdir()
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("symae: error: ")
    assert message in line
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_two_places_at_once_are_refused(script, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["port", str(script), "--diff", "--in-place"])
    assert end.value.code == 2


def test_the_command_starts_without_what_it_needs_to_port():
    code = "import sys, symae.cli.main; print([m for m in ('fissix', 'libcst') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
