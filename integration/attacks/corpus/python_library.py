"""Parts of the standard library read and write files without an audit event.

attacks: everything above the kernel
effect: a file of the host's is written, or the library can tell what is in it
refused: ENOENT, EACCES, EROFS, EPERM
topic: escape corpus, audit bypass: sqlite ATTACH, readline, ssl
"""

import errno

from kit import attempt, effect, how, target

FILE = target["visible"] + "/file"
NEW = target["visible"] + "/new"

with attempt():
    if how == "sqlite":
        import sqlite3
        try:
            connection = sqlite3.connect(":memory:")
            connection.execute("ATTACH ? AS other", (NEW,))
            connection.execute("CREATE TABLE other.t (x)")
            connection.commit()
        except sqlite3.OperationalError as error:
            raise PermissionError(errno.EACCES, str(error)) from None
    elif how == "readline":
        import readline
        readline.add_history("written")
        readline.write_history_file(NEW)
    elif how == "ssl":
        import ssl
        try:
            ssl.create_default_context().load_verify_locations(FILE)
        except ssl.SSLError as error:
            effect("the file is there:", error)
    elif how == "dbm":
        import dbm.dumb
        dbm.dumb.open(NEW, "n").close()
