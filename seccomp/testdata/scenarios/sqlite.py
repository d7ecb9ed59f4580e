# layers: base files_write
import os, sqlite3, tempfile

with tempfile.TemporaryDirectory() as place:
    for mode in ("delete", "wal"):
        database = sqlite3.connect(os.path.join(place, mode))
        database.execute("pragma journal_mode = " + mode)
        database.execute("create table numbers (n integer)")
        database.executemany("insert into numbers values (?)", [(n,) for n in range(1000)])
        database.commit()
        assert database.execute("select sum(n) from numbers").fetchone() == (499500,)
        database.close()
