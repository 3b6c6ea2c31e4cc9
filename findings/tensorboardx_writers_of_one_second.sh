#!/usr/bin/env bash
# tensorboardX 2.6.5: of two writers that are opened for one folder within a second, the second one replaces the file of the first.
#
# Expected: event files are only ever added to a folder; TensorBoard reads all that are there. So a training and its validation,
# or a sweep of short runs, may each have a writer of their own. TensorFlow's and PyTorch's writers put the process and a running
# number into the name for that.
# Seen: the name has the time in whole seconds and the machine's name, nothing else, and the file is opened anew. What the first
# writer had written and closed is gone, without a word; two that are open at once write over one another.
# What helps: filename_suffix, another one for each writer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "tensorboardX==2.6.5" "numpy==2.4.6" "protobuf==6.33.5"
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import time
from pathlib import Path

from tensorboardX import SummaryWriter


def write(folder, **settings):
    time.sleep(1.02 - time.time() % 1)  # both within one second
    for tag in ("first", "second"):
        writer = SummaryWriter(folder, **{name: value + tag for name, value in settings.items()})
        writer.add_scalar(tag, 1.0, 0)
        writer.close()
    files = sorted(Path(folder).iterdir())
    return [tag for tag in ("first", "second") if any(tag.encode() in file.read_bytes() for file in files)], len(files)


found, files = write("plain")
print(f"  two writers: {files} file, in which there is {found}")
apart, files_apart = write("apart", filename_suffix=".")
print(f"  with suffixes: {files_apart} files, in which there is {apart}")
if (found, files, apart, files_apart) != (["second"], 1, ["first", "second"], 2):
    raise SystemExit("tensorboardX names the files of its writers otherwise now")
print("as found: the second writer's file took the place of the first one's")
PYTHON
