"""Uses a Redis server at 127.0.0.1:6379."""

import errno
import sys
import threading

import redis

client = redis.Redis("127.0.0.1", 6379, socket_timeout=20)
try:
    print("ping:", client.ping())
except redis.exceptions.ConnectionError as error:
    print("ping: ConnectionError", errno.errorcode[error.__context__.errno])
    sys.exit()
client.flushall()
client.set("key", "one")
print("value:", client.get("key"))
pipeline = client.pipeline()
pipeline.set("n", 0)
pipeline.incr("n")
pipeline.incr("n")
print("pipeline:", pipeline.execute())
print("blocking pop:", client.blpop("empty", timeout=1))

subscription = client.pubsub()
subscription.subscribe("channel")
subscription.get_message(timeout=10)
client.publish("channel", "news")
print("published:", subscription.get_message(timeout=10)["data"])


def count():
    own = redis.Redis("127.0.0.1", 6379)
    for _ in range(50):
        own.incr("threads")


threads = [threading.Thread(target=count) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("threads:", int(client.get("threads")))
client.set("large", bytes(4 << 20))
print("large:", len(client.get("large")))
print("by name:", redis.Redis("localhost", 6379).ping())
