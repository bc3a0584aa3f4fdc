"""Serve `apps:wsgi` where a server has no command for it: ``python -m serve NAME PORT``.

Each function imports its server itself, so that one that is not installed stops no other.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import asyncio
import sys

HOST = "127.0.0.1"


def werkzeug(port):
    from apps import wsgi
    from werkzeug.serving import run_simple

    run_simple(HOST, port, wsgi, threaded=True)


def wsgiref(port):
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIServer, make_server

    from apps import wsgi

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    make_server(HOST, port, wsgi, Server).serve_forever()


def tornado(port):
    from concurrent.futures import ThreadPoolExecutor

    from apps import wsgi
    from tornado.httpserver import HTTPServer
    from tornado.wsgi import WSGIContainer

    async def serve():
        with ThreadPoolExecutor() as executor:
            HTTPServer(WSGIContainer(wsgi, executor=executor)).listen(port, HOST)
            await asyncio.Event().wait()

    asyncio.run(serve())


def a2wsgi(port):
    import uvicorn
    from a2wsgi import WSGIMiddleware
    from apps import wsgi

    uvicorn.run(WSGIMiddleware(wsgi), host=HOST, port=port)


def asgiref(port):
    import uvicorn
    from apps import wsgi
    from asgiref.wsgi import WsgiToAsgi

    uvicorn.run(WsgiToAsgi(wsgi), host=HOST, port=port)


def uwsgi(port):
    import pyuwsgi

    pyuwsgi.run(["--http-socket", f"{HOST}:{port}", "--module", "apps:wsgi", "--need-app", "--threads", "4"])


if __name__ == "__main__":
    {server.__name__: server for server in (werkzeug, wsgiref, tornado, a2wsgi, asgiref, uwsgi)}[sys.argv[1]](
        int(sys.argv[2])
    )
