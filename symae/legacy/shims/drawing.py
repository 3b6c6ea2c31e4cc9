"""pylab and matplotlib without a screen: the real one draws into files, and where it is not installed a small one does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from symae.legacy.shims.canvas import Axes, Figure
from symae.shims.restoring import module_of

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["MODULES", "anything", "attend", "restored"]


class _Pyplot:
    """Hold the state of pyplot: figures, the current one, and how many were shown."""

    def __init__(self, session: Session):
        self._session = session
        self._figures: dict[Any, Figure] = {}
        self._current: Any = None
        self._shown = 0

    def figure(self, num: Any = None, figsize: Any = None, *_: Any, **__: Any) -> Figure:
        num = len(self._figures) + 1 if num is None else num
        if num not in self._figures:
            self._figures[num] = Figure(self._saved, figsize)
        self._current = num
        return self._figures[num]

    def gcf(self) -> Figure:
        return self._figures[self._current] if self._current in self._figures else self.figure()

    def subplot(self, *place: Any, **_: Any) -> Axes:
        return self.gcf().add_subplot(*place)

    def subplots(self, nrows: int = 1, ncols: int = 1, **more: Any) -> Any:
        figure = self.figure(figsize=more.get("figsize"))
        axes = np.empty((nrows, ncols), object)
        for i in range(nrows * ncols):
            axes.flat[i] = figure.add_subplot(nrows, ncols, i + 1)
        return figure, (axes[0, 0] if axes.size == 1 else axes.ravel() if 1 in axes.shape else axes)

    def savefig(self, name: Any, *_: Any, **more: Any) -> None:
        self.gcf().savefig(name, **more)

    def show(self, *_: Any, **__: Any) -> None:
        for figure in self._figures.values():
            self._shown += 1
            figure.savefig(f"figure_{self._shown}.png")
        self._figures.clear()

    def close(self, *_: Any) -> None:
        self._figures.clear()

    def clf(self) -> None:
        self.gcf().axes.clear()

    def _saved(self, name: Any) -> None:
        self._session.say(f"{name}: drawn by symae's small stand-in, because matplotlib is not installed")


def _pyplot(session: Session) -> ModuleType:
    """Make one module for all names, with the functions of the current axes."""
    pyplot = _Pyplot(session)
    names = {name: getattr(pyplot, name) for name in dir(pyplot) if not name.startswith("_")}
    names |= {"gca": lambda *_, **__: pyplot.gcf().gca(), "suptitle": lambda text, **_: pyplot.gcf().suptitle(text)}
    for name in Axes.DRAWS:
        names[name] = _on_axes(pyplot, name)
    for name, method in (("title", "set_title"), ("xlabel", "set_xlabel"), ("ylabel", "set_ylabel")):
        names[name] = _on_axes(pyplot, method)
    names |= {"cm": _Anything(), "rcParams": {}, "Figure": Figure, "Axes": Axes}
    module = module_of("matplotlib.pyplot", names)
    module.__getattr__ = _nothing  # type: ignore[method-assign]
    return module


def _on_axes(pyplot: _Pyplot, name: str) -> Callable[..., Any]:
    return lambda *arguments, **keywords: getattr(pyplot.gcf().gca(), name)(*arguments, **keywords)


def _nothing(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Anything()


class _Anything:
    """Take any call and any attribute: what adorns a figure and is not needed to see it."""

    def __call__(self, *_: Any, **__: Any) -> _Anything:
        return self

    def __getattr__(self, name: str) -> _Anything:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: Any) -> _Anything:
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        return

    def __iter__(self) -> Iterator[_Anything]:
        return iter((self, self))


def _pylab(session: Session) -> ModuleType:
    """Make one module of pyplot, NumPy and its random numbers."""
    space = {name: getattr(np, name) for name in dir(np) if not name.startswith("_")}
    space |= {name: getattr(np.random, name) for name in ("rand", "randn", "randint", "uniform", "normal", "permutation")}
    space |= {name: value for name, value in vars(np.linalg).items() if name in ("norm", "inv", "svd", "eig", "det")}
    space |= {"np": np, "numpy": np, "random": np.random, "linalg": np.linalg}
    hidden = {"abs", "all", "any", "bool", "float", "int", "max", "min", "object", "round", "str", "sum", "pow", "long"}
    pyplot = _shared(session)
    space = {name: value for name, value in space.items() if name not in hidden or name in ("sum", "all", "any")}
    module = module_of("pylab", {**space, **{k: v for k, v in vars(pyplot).items() if not k.startswith("__")}, "plt": pyplot})
    module.__getattr__ = _nothing  # type: ignore[method-assign]
    return module


def _shared(session: Session) -> ModuleType:
    if session.pyplot is None:
        session.pyplot = _pyplot(session)
    return session.pyplot


def _matplotlib(session: Session) -> ModuleType:
    module = module_of("matplotlib", {"use": lambda *_, **__: None, "rcParams": {}, "pyplot": _shared(session), "__path__": [],
                                      "pylab": _pylab(session), "__version__": "1.5.3"})  # fmt: skip
    module.__getattr__ = _nothing  # type: ignore[method-assign]
    return module


def anything(session: Session, name: str) -> ModuleType:
    """Make any other module of matplotlib's."""
    module = module_of(name, {"__path__": []})
    module.__getattr__ = _nothing  # type: ignore[method-assign]
    return module


MODULES: dict[str, Callable[[Session], ModuleType]] = {
    "pylab": _pylab,
    "matplotlib": _matplotlib,
    "matplotlib.pyplot": _shared,
    "matplotlib.pylab": _pylab,
}


def attend(session: Session) -> None:
    """Let ``show`` of the real matplotlib, which has been imported, save its figures, and lend it names that it dropped."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or getattr(pyplot.show, "of_symae", None) is session:
        return
    shown = [0]

    def show(*_: Any, **__: Any) -> None:
        for number in pyplot.get_fignums():
            shown[0] += 1
            pyplot.figure(number).savefig(f"figure_{shown[0]}.png")
        pyplot.close("all")

    show.of_symae, show.real = session, pyplot.show  # type: ignore[attr-defined]
    hold = _hold(session)
    for module in _drawing_modules():
        module.show = show
        _lend(module, {"hold": hold, "ishold": lambda: True})
    axes = pyplot.Axes
    colours = dict.fromkeys(("set_axisbg", "set_axis_bgcolor"), axes.set_facecolor)  # set_axisbg is for axisbg=
    _lend(axes, {"hold": lambda _, *switch: hold(*switch), "get_axis_bgcolor": axes.get_facecolor, **colours})


_lent: list[tuple[Any, str, Any]] = []


def _lend(owner: Any, names: dict[str, Any]) -> None:
    for name, value in names.items():
        if not hasattr(owner, name):
            setattr(owner, name, value)
            _lent.append((owner, name, value))


def _take_back() -> None:
    while _lent:
        owner, name, value = _lent.pop()
        for holder in (owner, *_drawing_modules()):  # pylab takes all names of pyplot's when it is imported
            if vars(holder).get(name) is value:
                delattr(holder, name)


def _hold(session: Session) -> Callable[..., None]:
    def hold(switch: Any = None) -> None:
        """Leave what is drawn, as matplotlib always does now; a script that wants each plot to clear the axes is told."""
        if switch in (False, "off"):
            session.say("matplotlib has no hold(False) any more: later plots are drawn over earlier ones")

    return hold


def _drawing_modules() -> list[Any]:
    return [sys.modules[name] for name in ("matplotlib.pyplot", "matplotlib.pylab", "pylab") if name in sys.modules]


@contextmanager
def restored(session: Session) -> Iterator[None]:
    """Draw without a screen as long as the block lasts; after it ``show`` is matplotlib's own again."""
    before = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = "Agg"
    try:
        yield
    finally:
        _take_back()
        for module in _drawing_modules():
            if getattr(module.show, "of_symae", None) is session:
                module.show = module.show.real
        if before is None:
            del os.environ["MPLBACKEND"]
        else:
            os.environ["MPLBACKEND"] = before
