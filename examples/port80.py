"""Fetches the same page three ways and says what happened to each.

    pysandbox exec --preset http-only examples/port80.py [HOST]

Under the http-only preset the first two succeed, because they go to port 80,
and the third is refused, because it does not. The program itself is ordinary
Python and knows nothing of the sandbox.
"""

import socket
import sys
import urllib.error
import urllib.request


def fetch_with_urllib(host: str, port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/", timeout=5) as page:
            return page.read().decode().strip()
    except urllib.error.URLError as error:
        # urllib hides the cause of a failed connect in .reason.
        if isinstance(error.reason, OSError):
            raise error.reason from None
        raise


def fetch_with_socket(host: str, port: int) -> str:
    with socket.create_connection((host, port), timeout=5) as connection:
        connection.sendall(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    return answer.split(b"\r\n\r\n", 1)[1].decode().strip()


def main() -> None:
    host = sys.argv[1] if len(sys.argv) > 1 else "203.0.113.80"
    for name, fetch, port in (
        ("urllib.request", fetch_with_urllib, 80),
        ("raw socket", fetch_with_socket, 80),
        ("urllib.request", fetch_with_urllib, 8080),
    ):
        try:
            outcome = fetch(host, port)
        except OSError as error:
            outcome = f"{type(error).__name__}: {error}"
        print(f"{name:14} port {port:<4} -> {outcome}")


if __name__ == "__main__":
    main()
