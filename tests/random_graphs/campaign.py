"""Compute the outcomes of many programs, and tell which differ.

Under each library and mode, into a file of its own::

    THEANO_FLAGS=cxx= PYTHONPATH=tests python3.8 -m random_graphs.campaign run theano FAST_COMPILE 0 2000 theano.pkl
    export PYTHONPATH=tests
    python -m random_graphs.campaign run symae.theano FAST_COMPILE 0 2000 ours.pkl --group 25 --raising theano.pkl
    python -m random_graphs.campaign run symae.theano numba 0 2000 numba.pkl --group 25 --raising theano.pkl

then all against the first, the oracle, and the second where that refuses a graph::

    PYTHONPATH=tests python -m random_graphs.campaign compare theano.pkl ours.pkl numba.pkl c.pkl

A file that is there is gone on with. With ``--float32`` programs are in single precision, as MLX wants them.
"""

import argparse
import pickle
import sys
import time
from pathlib import Path


def run(arguments):
    from random_graphs import outcomes
    from random_graphs.programs import digest, program

    lib = outcomes.library(arguments.library)
    lib.theano.config.floatX = "float32" if arguments.float32 else "float64"
    file = Path(arguments.file)
    found = pickle.loads(file.read_bytes()) if file.exists() else {}
    found = {seed: entry for seed, entry in found.items() if entry[0] == digest(program(seed))}
    expected = {}
    if arguments.raising:  # those that raise there are not compiled together with others
        expected = pickle.loads(Path(arguments.raising).read_bytes())
    seeds = [seed for seed in range(arguments.first, arguments.last) if seed not in found]
    quiet = [seed for seed in seeds if seed not in expected or expected[seed][1][0] == "values"]
    apart = sorted(set(seeds) - set(quiet))
    groups = [quiet[i : i + arguments.group] for i in range(0, len(quiet), arguments.group)] + [[seed] for seed in apart]
    started = time.time()
    for group in groups:
        programs = [program(seed) for seed in group]
        if arguments.float32:
            programs = [outcomes.in_single_precision(p) for p in programs]
        before = time.time()
        print(f"{before - started:.0f} s: {group}", flush=True)
        made = outcomes.together(lib, programs, arguments.mode)
        found.update((seed, (digest(program(seed)), outcome)) for seed, outcome in zip(group, made))
        if time.time() - before > 1 or group is groups[-1] or group[0] % 20 == 0:
            file.with_suffix(".part").write_bytes(pickle.dumps(found, 4))
            file.with_suffix(".part").replace(file)
    file.write_bytes(pickle.dumps(found, 4))
    print("%.0f s in all" % (time.time() - started))


def compare(arguments):
    from random_graphs import outcomes
    from random_graphs.comparison import difference
    from random_graphs.programs import digest, program

    oracle, ours, *others = [pickle.loads(Path(name).read_bytes()) for name in arguments.files]
    for name, found in zip(arguments.files[1:], [ours, *others]):
        counts = {}
        for seed in sorted(found):
            made = program(seed)
            if seed not in oracle or not (oracle[seed][0] == found[seed][0] == digest(made)):
                continue  # of another version of the generator
            if arguments.float32:
                made = outcomes.in_single_precision(made)
            second = ours[seed][1] if ours.get(seed, "?")[0] == digest(made) else None
            kind, text = difference(made, oracle[seed][1], second, found[seed][1])
            counts[kind] = counts.get(kind, 0) + 1
            if kind.split(":")[0] in arguments.show.split(","):
                print(name, seed, kind, text, [step["op"] for step in made["steps"]])
        print(name, dict(sorted(counts.items(), key=lambda item: -item[1])))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("run")
    one.add_argument("library", choices=("theano", "symae.theano"))
    one.add_argument("mode")
    one.add_argument("first", type=int)
    one.add_argument("last", type=int)
    one.add_argument("file")
    one.add_argument("--group", type=int, default=1, help="how many programs are compiled as one function")
    one.add_argument("--raising", help="a file of outcomes: those that raise there are compiled alone")
    one.add_argument("--float32", action="store_true")
    one.set_defaults(do=run)
    two = commands.add_parser("compare")
    two.add_argument("files", nargs="+")
    two.add_argument("--show", default="silent", help="kinds to print, with commas between: silent, loud, kind")
    two.add_argument("--float32", action="store_true")
    two.set_defaults(do=compare)
    arguments = parser.parse_args()
    arguments.do(arguments)


if __name__ == "__main__":
    sys.exit(main())
