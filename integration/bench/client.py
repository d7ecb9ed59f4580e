"""The Python side, measured from a host. Answers like workload.py: the name of a
measure on each line of standard input, its samples in nanoseconds on each of
standard output. The package is on PYTHONPATH, the binary in PYSANDBOX_BINARY.
"""
import json
import sys
import time

from pysandbox import Sandbox, expose

# What runs in the guest, where a call of a capability begins and ends.
GUEST = """
from time import perf_counter_ns as now
def timed(count, act):
    samples = []
    for _ in range(count):
        begin = now()
        act()
        samples.append(now() - begin)
    return samples
mebibyte = bytes(1 << 20)
"""


class Echo:
    @expose(params=(int,), returns=int)
    def echo(self, value):
        return value

    @expose(params=(bytes,))
    def put(self, data):
        pass


def sandbox():
    return Sandbox(python=sys.executable)


def eval_imported():
    """The first value of a new sandbox, in a host that has run one before."""
    begin = time.perf_counter_ns()
    sb = sandbox()
    sb.eval("1 + 1")
    taken = time.perf_counter_ns() - begin
    sb.close()
    return [taken]


def main():
    with sandbox() as live:
        live.grant("echo", Echo())
        live.exec(GUEST)

        def eval_live():
            samples = []
            for _ in range(200):
                begin = time.perf_counter_ns()
                live.eval("1 + 1")
                samples.append(time.perf_counter_ns() - begin)
            return samples

        measures = {
            "eval_imported": eval_imported,
            "eval_live": eval_live,
            "capability_call": lambda: live.eval("timed(500, lambda: echo.echo(1))"),
            "capability_mebibyte": lambda: live.eval("timed(20, lambda: echo.put(mebibyte))"),
        }
        for line in sys.stdin:
            print(json.dumps(measures[line.strip()]()), flush=True)


main()
