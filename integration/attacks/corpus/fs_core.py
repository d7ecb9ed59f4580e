"""A crash leaves what was in memory in the working directory.

attacks: RLIMIT_CORE
effect: there is a core file
topic: core dumps
"""

import ctypes
import resource

try:
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30))
except ValueError as error:
    print(error)
ctypes.string_at(0)
