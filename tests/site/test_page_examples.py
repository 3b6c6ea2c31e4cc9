"""Python that stands on a page of docs/ runs as pasted, one block after the other, in an empty folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Pages that tests of their own run, with what they print: tests/estimators/test_page.py, tests/test_readme.py,
# tests/training/test_training_page.py, tests/compile/test_pure_step.py, tests/export/test_export_page.py; what else scaling.md
# has are lines of a program.
ELSEWHERE = {"scikit-learn.md", "data.md", "training.md", "scaling.md", "export.md"}
# what a page's blocks print in all, where it is to be told
PRINTED = {
    "own_code.md": r"nats per image: .*\n100 numbers for .*\n\[\(2, 3, 2, 2\), .*\]\n(Training epoch .*\n)+2 epochs, .*\n",
    "adding_an_op.md": r"\[\[\[-0\.5, 0\.0, 0\.75\]\], \[\[0\.25, 1\.0, 0\.062\]\]\]\n",
    "adding_a_rewrite.md": r"\['Floor'\]\n.*floor\(floor\(i0\)\).*\n",
    "adding_a_backend.md": r"\[\[0\.5 0\.5\]\]\n",
    "adding_a_data_format.md": r"\(5, 784\) \(5,\) \(1, 28, 28\)\n",
    "adding_a_tab.md": r"Norms \['norms'\]\n",
    "exactness.md": r"numba .* from the exact sum\nc  .* from the exact sum\n",
    "first_ten_minutes.md": r"100 numbers for each image\nmean error of a pixel 0\.0\d\n",
    "inspector.md": r"0\.\d+\n(.*\n)*",
    "patches.md": r"(?s)c_blas .*(applied|waiting|skipped|switched off).*",
}


def pages() -> list[str]:
    return sorted(page.name for page in DOCS.glob("*.md") if BLOCK.search(page.read_text(encoding="utf-8")))


def test_pages_with_figures_are_pages_with_examples():
    assert set(PRINTED) <= set(pages())


@pytest.mark.docs
@pytest.mark.parametrize("name", [name for name in pages() if name not in ELSEWHERE])
def test_the_examples_of_a_page_run_as_pasted(name, no_mnist, tmp_path):
    environment = no_mnist | {"PYTHONPATH": str(ROOT), "PYTENSOR_FLAGS": "mode=FAST_COMPILE"}
    printed = ""
    for number, block in enumerate(BLOCK.findall((DOCS / name).read_text(encoding="utf-8"))):
        script = tmp_path / f"block{number}.py"
        script.write_text(block, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=300
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"
        printed += done.stdout
    assert re.fullmatch(PRINTED.get(name, r"(?s).*"), printed), printed


def test_no_page_shows_a_folder_of_the_machine_that_made_it():
    for page in DOCS.rglob("*.md"):
        assert not re.search(r"/(root|work|home|tmp)/\w", page.read_text(encoding="utf-8")), page
