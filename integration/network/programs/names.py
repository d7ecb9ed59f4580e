"""Looks names up in every way, and fetches a page: names.py [PORT] NAME..."""

import asyncio
import socket
import sys
import urllib.request

from kit import attempt


def lookup(host, family=0):
    found = socket.getaddrinfo(host, 80, family, socket.SOCK_STREAM)
    return " ".join(sorted({entry[4][0] for entry in found}))


def lookup_async(host):
    async def ask():
        loop = asyncio.get_running_loop()
        return await loop.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
    return " ".join(sorted({entry[4][0] for entry in asyncio.run(ask())}))


def fetch(host, port):
    with urllib.request.urlopen(f"http://{host}:{port}/", timeout=20) as page:
        return page.read().decode().strip()


def connect(host, port):
    with socket.create_connection((host, port), timeout=20) as connected:
        return connected.getpeername()[0]


port = int(sys.argv[1])
for host in sys.argv[2:]:
    attempt(f"getaddrinfo {host}", lookup, host)
    attempt(f"gethostbyname {host}", socket.gethostbyname, host)
    attempt(f"asyncio {host}", lookup_async, host)
    attempt(f"connect {host}", connect, host, port)
    attempt(f"fetch {host}", fetch, host, port)
