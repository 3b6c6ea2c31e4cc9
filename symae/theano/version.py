"""``theano.version``: the version of Theano whose semantics are kept here."""

__all__ = ["full_version", "git_revision", "release", "short_version", "version"]

version = short_version = full_version = "1.0.5"
git_revision = ""
release = True
