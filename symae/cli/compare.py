"""The command ``symae compare``: several runs side by side, at the terminal, and their curves over one another on a page."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from symae._runtime.decimals import size
from symae._runtime.terminal import at_least
from symae.cli.targets import check_target
from symae.errors import InputError


def add_compare(commands: Any) -> None:
    """Add the command to a parser's `commands`."""
    compare = commands.add_parser(
        "compare",
        help="compare runs: options, final figures, seconds, versions, and their curves",
        description="Print runs side by side, of any worksheets: final figures, and the options, data and versions in which "
        "they differ. On the page their curves lie over one another.",
    )
    compare.add_argument("run", nargs="+", type=Path, help="a run's folder")
    compare.add_argument("--all", action="store_true", help="also what is the same in all runs")
    compare.add_argument("--open", action="store_true", help="open the page of symae inspect at its curves")
    compare.add_argument("--page", type=Path, metavar="FILE", help="keep that page as one HTML file")
    compare.add_argument(
        "--port", type=at_least(1, 65535), metavar="N", help="with --open: where the page is; a free one by default"
    )
    compare.add_argument("--no-browser", action="store_true", help="with --open: only say where the page is")


def run_compare(settings: argparse.Namespace) -> None:
    """Print the table, and make the page if it is asked for."""
    from symae.inspector.comparison import compared, lines_of
    from symae.inspector.runs import open_run

    if settings.page is not None:
        check_target(settings.page, (".html",), settings.run)
    if not settings.open:
        for option, given in {
            f"--port {settings.port}": settings.port is not None,
            "--no-browser": settings.no_browser,
        }.items():
            if given:
                raise InputError("compare", option, "--open beside it, which is what opens a page")
    runs = [open_run(path) for path in settings.run]
    many = Counter(run.name for run in runs)
    for run, path in zip(runs, settings.run, strict=True):
        if many[run.name] > 1:  # out/a/04 and out/b/04
            run.name = str(path)
    rows = compared(runs)
    everything = settings.all or len(runs) == 1
    shown = [row for row in rows if everything or row.differs or row.is_figure]
    for line in lines_of([run.name for run in runs], shown):
        print(line)
    if len(shown) < len(rows):
        print(f"\n{len(rows) - len(shown)} others are the same in all runs; --all shows them")
    if settings.page is not None:
        from symae.inspector.export import export_page

        export_page(runs, settings.page, lambda line: print(line, flush=True))
        print(f"{settings.page}: {size(settings.page.stat().st_size)}; its curves are at #training")
    if settings.open:
        from symae.inspector.server import serve

        serve(runs, settings.port, browser=not settings.no_browser, tab="training")
        print("\nstopped")
