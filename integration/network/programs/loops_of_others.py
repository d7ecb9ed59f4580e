"""Other event loops than asyncio's own: loops_of_others.py LOOP ADDRESS COUNT

LOOP is "aiohttp", "uvloop" or "gevent". ADDRESS has a web server at port 80 and
an echo server at port 7; nothing listens at port 9999, and port 8080 may be denied.
"""

import asyncio
import sys

from kit import attempt, code

loop, address, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
ECHO, CLOSED, DENIED = 7, 9999, 8080


async def opened(port):
    """The name of the errno with which a connection fails, or None."""
    try:
        _, writer = await asyncio.open_connection(address, port)
    except OSError as error:
        return code(error.errno)
    writer.close()


async def echoes():
    pairs = await asyncio.gather(*(asyncio.open_connection(address, ECHO) for _ in range(count)))

    async def echo(reader, writer):
        writer.write(b"hello")
        return await reader.readexactly(5) == b"hello"
    right = await asyncio.gather(*(echo(*pair) for pair in pairs))
    for _, writer in pairs:
        writer.close()
    return sum(right)


async def streams():
    print("echoes:", await echoes())
    print("closed:", await opened(CLOSED))
    print("denied:", await opened(DENIED))


async def pages():
    import aiohttp
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        async def fetch():
            async with session.get(f"http://{address}/") as answer:
                return (await answer.text()).startswith("port 80")
        print("echoes:", sum(await asyncio.gather(*(fetch() for _ in range(count)))))
        for label, port in ("closed", CLOSED), ("denied", DENIED):
            try:
                async with session.get(f"http://{address}:{port}/") as answer:
                    print(f"{label}:", answer.status)
            except aiohttp.ClientConnectorError as error:
                print(f"{label}:", code(error.errno))


def greenlets():
    from gevent import monkey
    monkey.patch_all()
    import gevent
    import socket

    def echo():
        with socket.create_connection((address, ECHO), 20) as s:
            s.sendall(b"hello")
            return s.recv(5) == b"hello"

    def failure(port):
        try:
            socket.create_connection((address, port), 20).close()
        except OSError as error:
            return code(error.errno)
    jobs = [gevent.spawn(echo) for _ in range(count)]
    gevent.joinall(jobs)
    print("echoes:", sum(job.value for job in jobs))
    print("closed:", failure(CLOSED))
    print("denied:", failure(DENIED))


def run():
    if loop == "gevent":
        return greenlets()
    if loop == "uvloop":
        import uvloop
        uvloop.install()
        return asyncio.run(streams())
    return asyncio.run(pages())


attempt("end", run)
