"""Two real HTTP servers: python3 server.py PORT PORT

Each answers every GET with one line that names its own address. Writes "ready"
to standard output once both listen.
"""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Greeter(BaseHTTPRequestHandler):
    """Says where it listens."""

    def do_GET(self) -> None:
        host, port = self.connection.getsockname()[:2]
        body = f"hello from {host} port {port}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the transcript of the demo free of access logs."""


def main() -> None:
    servers = [ThreadingHTTPServer(("", int(port)), Greeter) for port in sys.argv[1:]]
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
