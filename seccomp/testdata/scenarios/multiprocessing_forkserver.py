# layers: base threads ipc files_write subprocess net server
import multiprocessing


def double(number):
    return number * 2


if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    with context.Pool(2) as pool:
        assert pool.map(double, range(10)) == list(range(0, 20, 2))
    queue = context.Queue()
    process = context.Process(target=queue.put, args=("from the child",))
    process.start()
    assert queue.get(timeout=30) == "from the child"
    process.join()
    assert process.exitcode == 0
    value = context.Value("i", 3)
    with value.get_lock():
        value.value += 1
