"""Random numbers as Theano drew them: bit for bit, on every backend."""
