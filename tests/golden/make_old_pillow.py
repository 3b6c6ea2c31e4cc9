"""Write old_pillow.txt: what old_pillow_cases.py prints under Pillow 4.3, of October 2017, the last of Theano's time.

    python make_old_pillow.py

Needs Pillow 4.3 on Python 3.6, and nothing else. Pillow 3.4 prints the same but for the sizes of turned pictures.
"""

import subprocess
import sys
from pathlib import Path

import PIL

CASES = Path(__file__).resolve().with_name("old_pillow_cases.py")


def main():
    found = getattr(PIL, "PILLOW_VERSION", PIL.__version__)
    if not found.startswith("4.3."):
        sys.exit("found Pillow " + found + ", expected 4.3")
    printed = subprocess.check_output([sys.executable, str(CASES)])
    CASES.with_name("old_pillow.txt").write_bytes(printed)
    print(printed.count(b"\n"), "lines of Pillow", found)


if __name__ == "__main__":
    main()
