# layers: base threads ipc subprocess
import asyncio


async def main():
    process = await asyncio.create_subprocess_exec("/bin/cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate(b"through a pipe")
    return output, process.returncode


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
watcher = getattr(asyncio, "get_child_watcher", None)
if watcher and not hasattr(asyncio, "ThreadedChildWatcher"):
    watcher().attach_loop(loop)
assert loop.run_until_complete(main()) == (b"through a pipe", 0)
loop.close()
