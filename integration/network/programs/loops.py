"""Event loops: loops.py ADDRESS COUNT"""

import asyncio
import sys
import time

from kit import attempt

address, count = sys.argv[1], int(sys.argv[2])


def happy(host):
    """It takes less than two seconds at best: the machine may be busy."""
    for _ in range(5):
        peer, took = asyncio.run(connected(host))
        if took < 2:
            break
    return f"{peer} {'quickly' if took < 2 else took}"


async def connected(host):
    start = time.monotonic()
    _, writer = await asyncio.wait_for(
        asyncio.open_connection(host, 80, happy_eyeballs_delay=0.1), 20)
    peer = writer.get_extra_info("peername")[0]
    writer.close()
    await writer.wait_closed()
    return peer, time.monotonic() - start


async def in_flight():
    """Opens every connection before it uses the first."""
    pairs = await asyncio.gather(*(asyncio.open_connection(address, 7) for _ in range(count)))

    async def echo(number, reader, writer):
        writer.write(b"%6d" % number)
        return int(await reader.readexactly(6)) == number
    right = await asyncio.gather(*(echo(i, *pair) for i, pair in enumerate(pairs)))
    for _, writer in pairs:
        writer.close()
    return f"{sum(right)} echoes"


async def refused():
    ends = await asyncio.gather(*(asyncio.open_connection(address, 9999) for _ in range(50)),
                                return_exceptions=True)
    return " ".join(sorted({type(end).__name__ for end in ends}))


async def cancelled():
    async def hang():
        await asyncio.open_connection("198.51.100.9", 7)
    try:
        await asyncio.wait_for(hang(), 0.3)
    except asyncio.TimeoutError:
        return "timeout"


for name in "deadsix.test", "slowfirst.test", "refusedfirst.test":
    attempt(name, happy, name)
attempt("in flight", lambda: asyncio.run(in_flight()))
attempt("refused", lambda: asyncio.run(refused()))
attempt("cancelled", lambda: asyncio.run(cancelled()))
