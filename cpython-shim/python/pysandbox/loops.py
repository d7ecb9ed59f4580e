"""The event loop in which async methods of capabilities run, where the host has none."""
from __future__ import annotations

import asyncio
import threading


class Loop:
    """A loop in a thread of its own, until it is closed."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._ends = False
        threading.Thread(target=self._run, name="pysandbox async", daemon=True).start()

    def close(self) -> None:
        """Ends the loop, once its tasks have been cancelled. It waits for nothing."""
        self._ends = True
        self.loop.call_soon_threadsafe(self.loop.stop)

    def _run(self) -> None:
        loop = self.loop
        asyncio.set_event_loop(loop)
        try:
            while not self._ends:
                try:
                    loop.run_forever()
                except (SystemExit, KeyboardInterrupt):
                    pass  # of a task that a method has made; asyncio has told of it
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()
