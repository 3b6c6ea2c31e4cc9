"""urllib, urllib2, urlparse: addresses are taken apart as ever, and nothing is fetched from them."""

from __future__ import annotations

import urllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symae.legacy.data import Data
from symae.shims.restoring import module_of

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["MODULES", "fetching"]


def fetching(session: Session) -> dict[str, Any]:
    """Make urlretrieve and urlopen, which answer for the data that symae knows."""
    data = Data(session.files)

    def urlretrieve(url: Any, filename: Any = None, *rest: Any, **more: Any) -> tuple[str, dict[str, str]]:
        """Find known data under `filename`, without a copy there."""
        path = data.retrieved(url, filename)
        return (str(path) if filename is None or data.path(str(filename)) is None else str(filename)), {}

    def urlopen(url: Any, *rest: Any, **more: Any) -> Any:
        return data.retrieved(getattr(url, "full_url", url)).open("rb")

    return {"urlretrieve": urlretrieve, "urlopen": urlopen}


def _request(session: Session) -> ModuleType:
    return module_of("urllib.request", {**_public(urllib.request), **fetching(session)})


def _urllib(session: Session) -> ModuleType:
    """Make one module of Python 2's urllib and Python 3's."""
    old = {**_public(urllib.parse), **fetching(session), "URLopener": None, "FancyURLopener": None}
    new = {"request": _request(session), "parse": urllib.parse, "error": urllib.error}
    return module_of("urllib", {**old, **new, "__path__": urllib.__path__})


def _urllib2(session: Session) -> ModuleType:
    return module_of("urllib2", {**_public(urllib.request), **_public(urllib.error), **fetching(session)})


def _urlparse(session: Session) -> ModuleType:
    return module_of("urlparse", _public(urllib.parse))


def _public(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


MODULES: dict[str, Callable[[Session], ModuleType]] = {
    "urllib": _urllib,
    "urllib.request": _request,
    "urllib2": _urllib2,
    "urlparse": _urlparse,
}
