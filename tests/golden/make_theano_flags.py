"""Write theano_flags.json: the flags that real Theano 1.0.5 has from a .theanorc and THEANO_FLAGS, on Python 2.7.

Needs a Python 2.7 with Theano 1.0.5 and NumPy 1.16 (it runs in any Python 3)::

    python tests/golden/make_theano_flags.py python2.7
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FLOATX = ["floatX"]
GLOBAL = "[global]\n"
CASES = [  # .theanorc, THEANO_FLAGS, flags
    (GLOBAL + "floatX=float32\n[nvcc]\nfastmath=True\n[global]\non_unused_input=warn\n", "", ["floatX", "on_unused_input"]),
    (GLOBAL + "floatX=float64\nfloatX=float32\n", "", FLOATX),
    (GLOBAL + "FLOATX=float32\n", "", FLOATX),
    (GLOBAL + "floatx: float32\n", "", FLOATX),
    ("[GLOBAL]\nfloatX=float32\n", "", FLOATX),
    ("[nanguardmode]\nnan_is_error=False\n", "", ["NanGuardMode.nan_is_error"]),
    ("[NanGuardMode]\nNan_Is_Error=False\n", "", ["NanGuardMode.nan_is_error"]),
    (GLOBAL + "floatX = float32 ; single\non_unused_input = warn ; x\n", "", ["floatX", "on_unused_input"]),
    (GLOBAL + "floatX = float32\n[gcc]\ncxxflags = a;b\n", "", ["floatX", "gcc.cxxflags"]),
    (GLOBAL + "rem a remark\n; another\n# and one\nfloatX=float32\n", "", FLOATX),
    (GLOBAL + "floatX = float32\n[gcc]\ncxxflags = -O3\n  -g\n", "", ["floatX", "gcc.cxxflags"]),
    (GLOBAL + 'floatX=float32\n[gcc]\ncxxflags=""\n', "", ["floatX", "gcc.cxxflags"]),
    (GLOBAL + "floatX=float32\nhome=%(nothing)s\n", "", FLOATX),
    (GLOBAL + "a=float32\nfloatX=%(a)s\n", "", FLOATX),
    ("[DEFAULT]\nfloatX=float32\n[global]\ndevice=cpu\n", "", FLOATX),
    ("[global]\r\nfloatX=float32\r\n", "", FLOATX),
    (GLOBAL + "floatX=float32\nnosuch=3\n[foo]\nbar=1\n", "", FLOATX),
    ("", '"floatX=float32"', FLOATX),
    ("", 'floatX="float32"', FLOATX),
    ("", "floatX='float32',device=cpu", FLOATX),
    ("", "floatX=float32,profile", ["floatX", "profile"]),
    ("", "FLOATX=float32", FLOATX),
    ("", "floatX =float32", FLOATX),
    ("", " floatX=float32, device=cpu,", FLOATX),
    ("", "floatX=float32,floatX=float64", FLOATX),
    ("", "floatX=float32,gcc.cxxflags=-a=b", ["floatX", "gcc.cxxflags"]),
    ("", "floatX=float32,gcc.cxxflags=", ["floatX", "gcc.cxxflags"]),
    ("", 'floatX=float32,gcc.cxxflags="-O3,-g"', ["floatX", "gcc.cxxflags"]),
    (GLOBAL + "floatX=float32\n", "floatX=float64", FLOATX),
]


def flags_of(python, file, flags, asked):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "theanorc")
        path.write_bytes(file.encode())
        code = f"import json, theano\nprint(json.dumps([str(v) for v in [{', '.join('theano.config.' + f for f in asked)}]]))"
        env = dict(os.environ, THEANORC=str(path), THEANO_FLAGS=flags)
        done = subprocess.run([python, "-c", code], env=env, capture_output=True, text=True, check=True)
    return dict(zip(asked, json.loads(done.stdout.splitlines()[-1]), strict=True))


if __name__ == "__main__":
    cases = [{"file": f, "flags": flags, "has": flags_of(sys.argv[1], f, flags, asked)} for f, flags, asked in CASES]
    Path(__file__).with_name("theano_flags.json").write_text(json.dumps(cases, indent=1) + "\n")
