"""Serves a page by gunicorn with two workers at 127.0.0.1:8000."""

import sys

from gunicorn.app.base import BaseApplication


def page(environ, start_response):
    body = f"hello {environ['REMOTE_ADDR']}".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


class Application(BaseApplication):
    def load_config(self):
        self.cfg.set("bind", "127.0.0.1:8000")
        self.cfg.set("workers", 2)
        self.cfg.set("threads", 4)
        self.cfg.set("loglevel", "error")

    def load(self):
        return page


sys.argv[1:] = []
Application().run()
