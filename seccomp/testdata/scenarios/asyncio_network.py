# layers: base threads ipc net server
import asyncio


async def echo(reader, writer):
    writer.write(await reader.read(16))
    await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"echo")
    answer = await reader.read(16)
    writer.close()
    server.close()
    await server.wait_closed()
    return answer


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
assert loop.run_until_complete(main()) == b"echo"
loop.close()
