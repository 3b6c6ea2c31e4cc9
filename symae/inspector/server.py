"""The local page: a server on 127.0.0.1 for the answers of `symae.inspector.api` and a handful of files of the package."""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib.util
import itertools
import json
import logging
import socket
import threading
import time
import webbrowser
from collections.abc import Sequence
from typing import Any

from symae.errors import BackendError, InputError
from symae.inspector.api.responses import UnknownError
from symae.inspector.api.routes import Answers
from symae.inspector.assets import ASSETS, MODULES, SCRIPTS, asset
from symae.inspector.inspection import Inspection
from symae.inspector.runs import GoneError, Run
from symae.inspector.security import FILE_TYPE, Guard

PREPARED = 8  # models of a run that are read before they are asked for
_log = logging.getLogger(__name__)


def application(runs: Sequence[Run], port: int) -> Any:
    """Return the ASGI application for some runs; it answers requests to 127.0.0.1 and localhost at `port` only."""
    check_installed()
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    answers = Answers(runs)

    def refused(status: int, text: str) -> Response:
        return Response(json.dumps({"error": text}), status, media_type="application/json")

    def answered(call: Any, path: str, given: Any) -> Response:
        try:
            kind, content = call(path, given)
            return Response(content, media_type=kind)
        except InputError as error:
            return refused(404 if isinstance(error, UnknownError) else 410 if isinstance(error, GoneError) else 400, str(error))
        except MemoryError:
            return refused(507, "out of memory")
        except Exception as error:  # of symae's own: the page says so and goes on
            _log.exception("%s", path)
            return refused(500, f"symae failed: {type(error).__name__}: {error}")

    def path_of(request: Request) -> str:
        """Return the path after /api/ as it was sent: names in it may have slashes, which are quoted."""
        raw = request.scope.get("raw_path") or b""
        text = raw.decode("latin-1").partition("?")[0]
        return text.removeprefix("/api/") if text.startswith("/api/") else str(request.path_params["path"])

    def get(request: Request) -> Response:
        return answered(answers.get, path_of(request), dict(request.query_params))

    async def post(request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind == FILE_TYPE:
            query = dict(request.query_params)
            receive = functools.partial(answers.receive, query=query)
            return await run_in_threadpool(answered, receive, path_of(request), await request.body())
        if kind != "application/json":
            return refused(415, f"Content-Type: found {kind[:60] or 'none'}, expected application/json or {FILE_TYPE}")
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError) as error:
            return refused(400, f"body: found damaged JSON ({error}), expected a drawing")
        return await run_in_threadpool(answered, answers.post, path_of(request), body)

    def page(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in ASSETS:
            return refused(404, f"/page/{name[:80]}: found no such file, expected one of {', '.join(ASSETS)}")
        content = asset(name)
        if name == "index.html":  # the browser need not read one module to learn of the next
            links = "".join(f'<link rel="modulepreload" href="page/{module}">\n' for module in MODULES)
            scripts = "".join(f'<script type="module" src="page/{script}"></script>\n' for script in SCRIPTS)
            content = content.replace(b"<!-- modules -->\n", links.encode()).replace(b"<!-- scripts -->\n", scripts.encode())
        return Response(content, media_type=ASSETS[name])

    async def missing(request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 404)
        found = "nothing there" if status == 404 else f"a {request.method[:20]}"
        expected = "/, /page/FILE or /api/PATH" if status == 404 else "a GET"
        return refused(status, f"{request.url.path[:80]}: found {found}, expected {expected}")

    routes = [
        Route("/", page),
        Route("/page/{name}", page),
        Route("/api/{path:path}", get, methods=["GET"]),
        Route("/api/{path:path}", post, methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={404: missing, 405: missing})
    return Guard(app, port)


def check_installed() -> None:
    """Raise BackendError where the extra ``inspect`` is not installed."""
    for module in ("starlette", "uvicorn"):
        if importlib.util.find_spec(module) is None:
            raise BackendError("symae inspect", f"no module {module}", 'it installed: pip install "symae[inspect]"')


def bound_socket(port: int | None) -> socket.socket:
    """Return a socket that listens on 127.0.0.1, at `port` or a free one; a port that may not be had is an InputError."""
    # of a socket whose protocol is not said, asyncio leaves Nagle's algorithm on: every answer would wait 40 ms for an ACK
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port or 0))
        listening.listen(128)
    except OSError as error:
        listening.close()
        found = f"{port}, where something listens already" if error.errno == errno.EADDRINUSE else f"{port} ({error.strerror})"
        raise InputError("--port", found, "a free port; without --port one is found") from error
    return listening


def serve(
    runs: Sequence[Run], port: int | None = None, *, browser: bool = True, wait: bool = True, tab: str | None = None
) -> str | None:
    """Show the page of some runs until Ctrl-C, or return its address at once, if it is not to `wait`, and serve it meanwhile.

    The page opens with `tab`, if one is named.
    A BackendError says that the extra ``inspect`` is not installed.
    """
    check_installed()
    listening = bound_socket(port)
    taken = listening.getsockname()[1]
    address = f"http://127.0.0.1:{taken}/" + (f"#{tab}" if tab else "")
    ends = " (Ctrl-C ends)" if wait else ""
    print(f"Inspecting {', '.join(run.name for run in runs)} at {address}{ends}", flush=True)
    # the browser starts while the server's modules are imported; what it asks meanwhile waits at the socket
    if browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    def run() -> None:
        with listening, contextlib.suppress(KeyboardInterrupt):
            server = uvicorn_server(runs, taken)
            threading.Thread(target=_prepare, args=(server, runs), daemon=True).start()
            server.run(sockets=[listening])

    if wait:
        run()
        return None
    threading.Thread(target=run, daemon=True).start()
    return address


def uvicorn_server(runs: Sequence[Run], port: int) -> Any:
    """Return the server of the page, which answers when its ``run`` is called with sockets."""
    import uvicorn

    from symae.inspector.protocol import TimedProtocol

    config = uvicorn.Config(
        application(runs, port),
        log_level="error",
        access_log=False,
        lifespan="off",
        http=TimedProtocol,
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def _prepare(server: Any, runs: Sequence[Run]) -> None:
    """Read the filters once the server answers, and a little later compile what a first drawing will need."""
    while not server.started and not server.should_exit:
        time.sleep(0.01)
    for pause, work in ((0.0, Inspection.filters), (0.5, Inspection.warm)):  # the first page comes between
        time.sleep(pause)
        for run in runs:
            with contextlib.suppress(InputError):
                for name in itertools.islice(run.models(), PREPARED):
                    with contextlib.suppress(Exception):  # who asks for it is told
                        work(run.inspection(name))
