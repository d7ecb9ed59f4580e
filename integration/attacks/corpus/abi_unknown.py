"""System calls that a later kernel may have.

attacks: the default of the filter
effect: a call that nobody knows does something else than not to exist
refused: ENOSYS
topic: ABI, unknown numbers
"""

import errno

from kit import effect, name, say, syscall

for number in [*range(500, 700), 1023, 4096, 0x3fffffff]:
    try:
        syscall(number)
        effect(number, "succeeds")
    except OSError as error:
        if error.errno != errno.ENOSYS:
            effect(number, name(error))
say("refused ENOSYS")
