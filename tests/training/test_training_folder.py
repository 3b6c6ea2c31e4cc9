"""The folder of a training: its files are whole, and those of the last finished epoch."""

from __future__ import annotations

import numpy as np
import pytest

from symae import InputError
from symae.ops.random.draws import state_words
from symae.training import History
from symae.training.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from symae.training.training_folder import TrainingFolder

WORDS = state_words(np.random.RandomState(5))


def test_the_best_checkpoint_is_made_up_for_when_only_the_last_one_was_renamed(tmp_path):
    # killed between the two renames, with the best one of an older training still there
    folder = TrainingFolder(tmp_path, {})
    history = History([1.0], [1.0], best_epoch=0)
    folder.save(Checkpoint(history, {"W": np.zeros(2)}, {}, WORDS))
    last = Checkpoint(history, {"W": np.ones(2)}, {}, WORDS)
    write_checkpoint(last, folder.last)
    folder.begin(last)
    np.testing.assert_array_equal(read_checkpoint(folder.best).arrays["W"], np.ones(2))


def test_what_a_killed_process_was_writing_is_swept_up(tmp_path):
    folder = TrainingFolder(tmp_path, {})
    left = [tmp_path / name for name in (".last.safetensors.a1.part", ".history.jsonl.x.part")]
    others = [tmp_path / name for name in (".other_last.safetensors.a1.part", "last.safetensors.part", "mine.part")]
    for path in [*left, *others]:
        path.write_bytes(b"half")
    folder.begin(None)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in others)


@pytest.mark.parametrize("name", ["", "a/b", "/", "a\0"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="name: found "):
        TrainingFolder(tmp_path, {}, name)
