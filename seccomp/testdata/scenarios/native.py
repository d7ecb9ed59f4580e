# layers: base
import ctypes, random, secrets, struct

libc = ctypes.CDLL(None)
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 3)(3, 1, 2)
libc.qsort(numbers, 3, ctypes.sizeof(ctypes.c_int), callback(lambda a, b: a[0] - b[0]))
assert list(numbers) == [1, 2, 3]
random.random(), secrets.token_bytes(16), struct.pack("Q", 1)
