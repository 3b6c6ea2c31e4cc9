"""The same epoch by symae, as worksheets 01 and 02 do it."""

from autoencoder_settings import settings
from measured import answer
from symae_step import compiled_step

from symae import compile_time
from symae.training import train_epochs

given = settings()
step = compiled_step(given)
threads = given.threads or None  # 0 for what they are by themselves
answer(compile_time(step).total, lambda: train_epochs(step, given.n_batches, 1, log_every=0, threads=threads).costs[0])
