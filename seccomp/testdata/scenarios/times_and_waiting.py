# layers: base
import errno, os, select, time

time.sleep(0.001)
time.monotonic(), time.process_time(), time.localtime(), time.get_clock_info("time")
left, right = os.pipe()
poller = select.poll()
poller.register(left, select.POLLIN)
assert poller.poll(1) == []
with select.epoll() as epoll:
    epoll.register(left, select.EPOLLIN)
    os.write(right, b"x")
    assert epoll.poll(1) and select.select([left], [], [], 1)[0]
os.set_blocking(left, False)
os.read(left, 1)
try:
    os.read(left, 1)
except BlockingIOError as error:
    assert error.errno == errno.EAGAIN
