# layers: base
import array, gc, sys

block = bytearray(50 << 20)
block[::4096] = b"x" * len(block[::4096])
del block
array.array("d", range(100000))
gc.collect()
sys.setrecursionlimit(5000)
