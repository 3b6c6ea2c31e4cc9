# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Porting a Theano script
#
# Here is a script as people wrote them around 2012: Python 2, Theano, data in a pickle. Nothing runs it any more; symae does,
# in three ways. `symae run` takes it as it is. `symae port` rewrites it once and for all, either with Theano's names, which
# symae answers, or with `--modern` for today's PyTensor. All three have to print the same numbers.

# %%
import difflib
import gzip
import importlib.util
import math
import os
import pickle
import re
import subprocess
import sys

import numpy as np

from symae._runtime.atomic_files import replacing, write_text
from symae.errors import BackendError, InputError
from symae.runs.worksheet import Worksheet

for needed in ("fissix", "libcst"):
    if importlib.util.find_spec(needed) is None:
        raise BackendError("worksheet 07", f"no {needed}", 'it installed: pip install "symae[port]"')
sheet = Worksheet("07_porting_theano", "Porting a Theano script", epochs=5)

# %% [markdown]
# ## The script
#
# A denoising autoencoder with tied weights. `print` is a statement, `xrange` and `cPickle` have gone, `/` divides whole numbers
# to whole numbers. Below that lies what would fail without a word: the draws of `RandomStreams`, which nobody else's generators
# give, and a comparison that is a number.

# %%
LEGACY = f"""\
import cPickle, gzip, sys, time
import numpy
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

# the digits, as pixels between 0 and 1
f = gzip.open('digits.pkl.gz', 'rb')
digits = cPickle.load(f)
f.close()

n_visible, n_hidden, batch_size = digits.shape[1], 64, 20
training_epochs = int(sys.argv[1])

rng = numpy.random.RandomState({sheet.seed})
theano_rng = RandomStreams(rng.randint(2 ** 30))
train_set_x = theano.shared(numpy.asarray(digits, dtype=theano.config.floatX), borrow=True)

bound = 4 * numpy.sqrt(6. / (n_hidden + n_visible))
W = theano.shared(numpy.cast[theano.config.floatX](rng.uniform(-bound, bound, (n_visible, n_hidden))), name='W')
bhid = theano.shared(numpy.zeros(n_hidden, dtype=theano.config.floatX), name='b')
bvis = theano.shared(numpy.zeros(n_visible, dtype=theano.config.floatX), name='b_prime')

index = T.lscalar()    # which minibatch
x = T.matrix('x')

tilde_x = theano_rng.binomial(size=x.shape, n=1, p=1 - 0.3, dtype=theano.config.floatX) * x
y = T.nnet.sigmoid(T.dot(tilde_x, W) + bhid)
z = T.nnet.sigmoid(T.dot(y, W.T) + bvis)
cost = T.mean(-T.sum(x * T.log(z) + (1 - x) * T.log(1 - z), axis=1))
wrong = T.mean(T.neq(z > 0.5, x > 0.5))    # pixels on the wrong side of grey

params = [W, bhid, bvis]
gparams = T.grad(cost, params)
updates = {{}}
for param, gparam in zip(params, gparams):
    updates[param] = param - 0.1 * gparam

train_da = theano.function([index], [cost, wrong], updates=updates,
                           givens={{x: train_set_x[index * batch_size:(index + 1) * batch_size]}})

start = time.clock()
for epoch in xrange(training_epochs):
    c = []
    for batch_index in xrange(digits.shape[0] / batch_size):
        c.append(train_da(batch_index))
    print 'epoch %d: cost %.10f, wrong %.10f' % ((epoch,) + tuple(numpy.mean(c, axis=0)))
print >>sys.stderr, 'ran for %.1f s' % (time.clock() - start)
"""

before = sheet.out / "before.py"
write_text(before, LEGACY)
with replacing(sheet.out / "digits.pkl.gz") as file:
    images = sheet.dataset.train.x
    pixels = np.asarray(images, "float32") / (255 if images.dtype.kind == "u" else 1)
    file.write(gzip.compress(pickle.dumps(pixels[:5000], protocol=2), 1))

# %% [markdown]
# ## As it is, and ported
#
# These are the commands that one would type. A script that is ported runs with nothing but Python.


# %%
def run(*command):
    """Run a command in the folder of the results; what it prints, or an error with its last line."""
    done = subprocess.run([sys.executable, *command], cwd=sheet.out, env=environment, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise InputError(" ".join(command), last, "a script that runs")
    return done.stdout, done.stderr


# Theano's scripts choose by THEANO_FLAGS; a modern one says in its calls of symae.function on which backend it runs
flags = [f"floatX={sheet.floatX}", *([f"mode={sheet.backend}"] if sheet.backend != "numba" else [])]
environment = os.environ | {"THEANO_FLAGS": ",".join(flags)}
epochs = str(sheet.epochs)
ways = {
    "as it is": [["-m", "symae", "run", "--out", "as_it_is", "before.py", epochs]],
    "ported": [["-m", "symae", "port", "before.py", "-o", "after.py"], ["after.py", epochs]],
    "ported, modern": [["-m", "symae", "port", "--modern", "before.py", "-o", "modern.py"], ["modern.py", epochs]],
}
if sheet.backend != "numba":
    del ways["ported, modern"]
printed = {}
for what, commands in ways.items():
    for command in commands:
        if "port" in command:
            (sheet.out / command[-1]).unlink(missing_ok=True)  # the port command overwrites nothing
        sheet.say(" ".join(["python", *command]))
        output, remarks = run(*command)
    printed[what] = output.strip().splitlines()

# %% [markdown]
# ## The numbers
#
# Corruption is drawn at random, but by Theano's generator; so the numbers are equal, digit for digit. Ported to today's
# PyTensor the graph is another one, so that after some epochs the last digits may be rounded otherwise.

# %%
sheet.report.heading("What they print")
sheet.report.table([list(printed), *zip(*printed.values(), strict=True)])
texts = [re.findall(r"[\d.]+|[^\d.]+", "\n".join(lines)) for lines in printed.values()]


def unlike(a, b):
    """Return how far two printed numbers are apart, relative to the first; infinitely, for words that are not the same."""
    if a == b:
        return 0.0
    return abs(float(a) - float(b)) / abs(float(a)) if all(re.fullmatch(r"\d+\.\d+", text) for text in (a, b)) else math.inf


same_words = len({len(text) for text in texts}) == 1
apart = [unlike(*pair) for text in texts for pair in zip(texts[0], text, strict=True)] if same_words else [math.inf]
difference = max(apart, default=0.0)  # nothing is printed where nothing is trained
if difference == 0:
    verdict = "They print the same, to the last digit."
elif difference < 1e-9:
    verdict = f"They print the same but for rounding: no number differs by more than {difference:.0e} of it."
else:
    verdict = "They do not print the same."
for line in printed["as it is"]:
    sheet.say(line)
sheet.say(verdict)
sheet.report.text(verdict)

# %% [markdown]
# ## What was rewritten
#
# The lines that differ, `-` before and `+` after.

# %%
for what, name, words in (
    ("ported", "after.py", "Ported, with Theano's names"),
    ("ported, modern", "modern.py", "Ported to today's PyTensor"),
):
    if what not in ways:
        continue
    text = (sheet.out / name).read_text()
    changed = list(difflib.unified_diff(LEGACY.splitlines(), text.splitlines(), "before.py", name, lineterm="", n=0))
    sheet.report.heading(words)
    sheet.report.code("\n".join(line for line in changed if not re.match(r"@@", line)))
sheet.report.heading("The script before")
sheet.report.code(LEGACY)

# %%
sheet.finish({"script": f"{len(LEGACY.splitlines())} lines of Python 2"})
