"""``theano.misc.strutil``."""

from __future__ import annotations

__all__ = ["renderString", "render_string"]


def render_string(string: str, sub: dict[str, object]) -> str:
    """Return `string` % `sub`, with the name that is lacking in the error."""
    try:
        return string % sub
    except KeyError as error:
        raise KeyError(f"{error} is not among {', '.join(map(str, sub))}") from None


renderString = render_string
