"""Prints the times of the Python side, the median of each. Run it alone, with the
package on PYTHONPATH and the binary in PYSANDBOX_BINARY.
"""
import statistics
import subprocess
import sys
import time

from pysandbox import Sandbox, expose

GUEST = """
import time
def median(function, count):
    times = []
    for _ in range(count):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return sorted(times)[count // 2]
"""


class Echo:
    @expose(params=(int,), returns=int)
    def echo(self, value):
        return value

    @expose(params=(bytes,))
    def put(self, data):
        pass


def median(function, count):
    """The median time of a call, in milliseconds."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


def main():
    live = []

    def cold():
        live.append(Sandbox(python=sys.executable))
        live[-1].eval("1 + 1")
    bare = median(lambda: subprocess.run([sys.executable, "-c", "1 + 1"]), 20)
    print("eval, cold, over bare python: %6.1f ms (budget 25)" % (median(cold, 20) - bare))
    for sb in live[1:]:
        sb.close()
    sb = live[0]
    print("eval, in a live sandbox:      %6.2f ms (budget 1)" % median(lambda: sb.eval("1 + 1"), 500))
    sb.grant("echo", Echo())
    sb.exec(GUEST)
    call = sb.eval("median(lambda: echo.echo(1), 3000)")
    print("call of a capability:         %6.0f us (budget 120)" % (call * 1e6))
    print("1 MiB by an area:             %6.2f ms (budget 3)" % (
        sb.eval("median(lambda data=bytes(1 << 20): echo.put(data), 100)") * 1e3))
    sb.close()


if __name__ == "__main__":
    main()
