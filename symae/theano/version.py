"""``theano.version``: of Theano's versions the one whose meaning is kept here."""

__all__ = ["full_version", "git_revision", "release", "short_version", "version"]

version = short_version = full_version = "1.0.5"
git_revision = ""
release = True
