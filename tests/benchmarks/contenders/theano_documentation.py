"""Runs examples of Theano's documentation; a script for ``symae run``, called by ``theano_documentation.py``.

    symae run theano_documentation.py EXAMPLES

`EXAMPLES` is a JSON file: for each page, run in a process of its own, and in it for each group of examples, which share their
variables, a list of [source, how it is compiled, seconds]. Run by a Python with real Theano it runs them there. Each example
makes a line, with what it printed and the exception it raised.
"""

import __future__

import contextlib
import importlib
import io
import json
import linecache
import os
import signal
import sys
import traceback
from pathlib import Path


def too_long(number, frame):
    raise TimeoutError("it took longer than the limit")


def ran(source, kind, limit, name, space):
    """Return what an example printed and its exception, with the traceback."""
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    flags = sum(getattr(__future__, each).compiler_flag for each in ("print_function", "division", "absolute_import"))
    printed, error, text = io.StringIO(), "", ""
    signal.alarm(limit)
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(source, name, kind, flags), space)
    except BaseException as raised:
        error = "".join(traceback.format_exception_only(type(raised), raised)).strip()
        text = traceback.format_exc()
    finally:
        signal.alarm(0)
    return {"printed": printed.getvalue(), "error": error, "text": text[-6000:]}


def run_page(page, groups):
    for group, examples in groups.items():
        space = {"__name__": "__main__", "__builtins__": __builtins__}
        for i, (source, kind, limit) in enumerate(examples):
            result = ran(source, kind, limit, f"<{group} {i}>", space)
            print("\n@@" + json.dumps({"page": page, "group": group, "number": i, **result}), flush=True)


def main():
    importlib.import_module("theano")  # which takes long, so once for all pages
    signal.signal(signal.SIGALRM, too_long)
    for page, groups in json.loads(Path(sys.argv[1]).read_text()).items():
        child = os.fork()
        if not child:
            run_page(page, groups)
            os._exit(0)
        os.waitpid(child, 0)


main()
