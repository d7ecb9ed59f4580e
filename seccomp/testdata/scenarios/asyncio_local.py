# layers: base threads ipc
import asyncio, time


async def main():
    loop = asyncio.get_event_loop()
    await asyncio.gather(*[asyncio.sleep(0.001) for _ in range(10)])
    await loop.run_in_executor(None, time.sleep, 0.001)
    return 7


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
assert loop.run_until_complete(main()) == 7
loop.close()
