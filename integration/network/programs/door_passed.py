"""Writes to every descriptor that it was not given: door_passed.py"""

import os

for number in range(3, 64):
    try:
        os.write(number, b"hello")
    except OSError:
        pass
try:
    os.write(0, b"hello")
except OSError:
    pass
print("done")
