"""Uses a PostgreSQL server at 127.0.0.1:5432."""

import io
import select
import threading

import psycopg2


def connect():
    return psycopg2.connect(host="127.0.0.1", port=5432, user="test", dbname="postgres", connect_timeout=20)


connection = connect()
connection.autocommit = True
cursor = connection.cursor()
cursor.execute("drop table if exists numbers; create table numbers (n integer)")
cursor.execute("insert into numbers select * from generate_series(0, 999)")
cursor.execute("select count(*), sum(n) from numbers")
print("rows:", *cursor.fetchone())

cursor.copy_from(io.StringIO("".join(f"{n}\n" for n in range(4000))), "numbers")
cursor.execute("select count(*) from numbers")
print("copied:", *cursor.fetchone())

listener = connect()
listener.autocommit = True
listener.cursor().execute("listen news")
cursor.execute("notify news, 'hello'")
while not listener.notifies:
    assert select.select([listener], [], [], 60)[0], "no notification"
    listener.poll()
print("notified:", listener.notifies.pop().payload)

# A cancellation is a second connection to the same server. One that comes before the
# query cancels nothing.
over = threading.Event()


def cancel():
    while not over.wait(0.3):
        connection.cancel()


canceller = threading.Thread(target=cancel)
canceller.start()
try:
    cursor.execute("select pg_sleep(60)")
except psycopg2.errors.QueryCanceled as error:
    print("cancelled:", type(error).__name__)
over.set()
canceller.join()

done = []


def work():
    own = connect()
    own.cursor().execute("select 1")
    done.append(own)


threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("threads:", len(done))
