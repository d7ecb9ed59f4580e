# layers: base threads
import concurrent.futures, queue, threading

lock, numbers = threading.Lock(), queue.Queue()


def add(number):
    with lock:
        numbers.put(number)
    return number * 2


threads = [threading.Thread(target=add, args=(n,), name="worker") for n in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert sum(pool.map(add, range(10))) == 90
assert numbers.qsize() == 18
assert not threading.Event().wait(0.001)
