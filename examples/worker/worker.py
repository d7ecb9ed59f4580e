"""A service: counts the words of every file in jobs/, once a second.

    pysandbox exec --policy examples/worker/worker.toml examples/worker/worker.py [--once]

It ends at SIGTERM, which pysandbox passes on, and logs to standard output, which
systemd puts into the journal.
"""

import pathlib
import signal
import sys
import threading

JOBS = pathlib.Path(__file__).parent / "jobs"


def run_jobs(done: "set[pathlib.Path]") -> None:
    for job in sorted(JOBS.glob("*.txt")):
        if job not in done:
            print(f"{job.name}: {len(job.read_text().split())} words", flush=True)
            done.add(job)


def main() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    done: "set[pathlib.Path]" = set()
    run_jobs(done)
    while "--once" not in sys.argv and not stop.wait(1):
        run_jobs(done)
    print(f"stopping after {len(done)} jobs", flush=True)


if __name__ == "__main__":
    main()
