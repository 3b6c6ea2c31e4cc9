"""Follow README.md and "The first ten minutes" to the letter on a bare machine: timed steps, up to the first that fails.

    python tools/first_use.py                     # this checkout, in a new folder with a new home and empty caches
    python tools/first_use.py --python python3.13 --keep folder

Commands and Python are taken from the pages as they stand there, in their order. What the machine has beside Python, its
caches and settings of PyTensor, is not seen; packages come from the package index.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = "docs/first_ten_minutes.md"
LIMIT = 600  # seconds a step
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PASSED_ON = ("LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PYENV_VERSION")
PIPS = Path.home() / ".config" / "pip" / "pip.conf"  # which package index this machine has
# What each step has to say, by words of the step: the first that begins with them.
SAYS = {
    "python3 -m venv": r"report\.html",
    "symae data\n": r"digits",
    "symae data photos": r"44/8/8 images",
    "symae show out/quick": r"\w",
}


@dataclass
class Step:
    """A command line, or a piece of Python, of a page."""

    page: str
    language: str
    text: str

    @property
    def title(self) -> str:
        first = self.text.strip().split("\n")[0]
        return f"{self.page}: {first[:70]}{'…' if len(first) > 70 else ''}"

    def script(self, activate: bool) -> str:
        """Return what a shell is given."""
        before = "set -e\n" + (". .venv/bin/activate\n" if activate else "")
        return before + (self.text if self.language == "sh" else f"python - <<'PASTED'\n{self.text}PASTED\n")


def steps() -> Iterator[Step]:
    """Yield README's first command, then what follows it on the page that begins with it, each line of commands by itself."""
    readme = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    page = BLOCK.findall((ROOT / PAGE).read_text(encoding="utf-8"))
    if readme[0] != page[0]:
        raise SystemExit(f"{PAGE}: its first command is not README's:\n{page[0][1]}")
    for number, (language, text) in enumerate(page):
        name = "README.md" if number == 0 else PAGE
        if language == "python":
            yield Step(name, language, text)
        else:
            yield from (Step(name, language, f"{line}\n") for line in text.strip().split("\n"))


def run(checkout: Path, home: Path, python: str) -> int:
    """Take all steps; return 0, or 1 after the first that fails or says something else."""
    bin_folder = home / "bin"
    bin_folder.mkdir(parents=True)
    found = shutil.which(python)
    if found is None:
        raise SystemExit(f"found no {python}")
    (bin_folder / "python3").symlink_to(Path(found).resolve() if python == "python3" else found)
    kept = {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith("PIP_")}
    if PIPS.is_file():
        kept.setdefault("PIP_CONFIG_FILE", str(PIPS))
    environment = kept | {"HOME": str(home), "PATH": f"{bin_folder}:/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}
    total = time.perf_counter()
    for step in steps():
        begun = time.perf_counter()
        activate = step.page != "README.md" and not step.text.startswith("source ")
        command = ["bash", "-c", step.script(activate)]
        try:
            done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            print(f"  more than {LIMIT} s  {step.title}")
            return 1
        wanted = next((says for words, says in SAYS.items() if step.text.startswith(words)), "")
        right = done.returncode == 0 and re.search(wanted, done.stdout)
        print(f"{time.perf_counter() - begun:7.1f} s  {'' if right else 'FAILED  '}{step.title}", flush=True)
        if not right:
            print(f"status {done.returncode}, expected 0 and {wanted!r} in what is printed:\n{done.stdout}\n{done.stderr}")
            return 1
    print(f"{time.perf_counter() - total:7.1f} s  in all")
    return 0


def main() -> int:
    """Run this script's command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default="python3", help="the Python that `python3` means")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work there, and leave it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        checkout, home = folder / "symae", folder / "home"
        if checkout.exists() or home.exists():
            raise SystemExit(f"{folder}: found symae or home in it, expected neither")
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "-c", "advice.detachedHead=false", "clone", "-q", str(ROOT), str(checkout)], check=True)
        return run(checkout, home, given.python)


if __name__ == "__main__":
    sys.exit(main())
