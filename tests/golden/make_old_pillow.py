"""Write old_pillow.txt: what old_pillow_cases.py prints under Pillow 4.2, of July 2017.

    python make_old_pillow.py

Needs Pillow 4.2 on Python 3.6, and nothing else. Pillow 4.0 prints the same; 3.4 has other sizes of turned pictures, and 4.3
another luma in 5 of 10,000 colours.
"""

import subprocess
import sys
from pathlib import Path

import PIL

CASES = Path(__file__).resolve().with_name("old_pillow_cases.py")


def main():
    found = getattr(PIL, "PILLOW_VERSION", PIL.__version__)
    if not found.startswith("4.2."):
        sys.exit("found Pillow " + found + ", expected 4.2")
    printed = subprocess.check_output([sys.executable, str(CASES)])
    CASES.with_name("old_pillow.txt").write_bytes(printed)
    print(printed.count(b"\n"), "lines of Pillow", found)


if __name__ == "__main__":
    main()
