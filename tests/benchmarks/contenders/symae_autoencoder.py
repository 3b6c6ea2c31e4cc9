"""The same epoch by symae, as worksheets 01 and 02 do it."""

from autoencoder_settings import settings
from measured import answer
from symae_step import compiled_step

from symae import compile_time
from symae.training import train_epochs

given = settings()
step = compiled_step(given)
threads = given.threads or None  # 0 for what they are by themselves
# `every`: between_commits.py runs this with the symae of before too, which has no `log_every`
answer(compile_time(step).total, lambda: train_epochs(step, given.n_batches, 1, every=0, threads=threads).costs[0])
