"""Uses the network of the sandbox itself, as if there were no policy."""

import asyncio
import multiprocessing
import os
import socket
import socketserver
import tempfile
import threading
import xmlrpc.client
import xmlrpc.server


def loopback(family, host):
    with socket.create_server((host, 0), family=family) as server:
        with socket.create_connection(server.getsockname()[:2]) as client:
            accepted, peer = server.accept()
            with accepted:
                accepted.sendall(b"hello")
                return client.recv(10).decode(), peer[:2] == client.getsockname()[:2]


def datagrams():
    one, two = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with one, two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        one.sendto(b"hello", two.getsockname())
        data, source = two.recvfrom(10)
        return data.decode(), source == one.getsockname()


def local(address):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(address)
        server.listen()
        client.connect(address)
        accepted, _ = server.accept()
        with accepted:
            accepted.sendall(b"hello")
            return client.recv(10).decode()


def pair():
    one, two = socket.socketpair()
    with one, two:
        one.sendall(b"hello")
        return two.recv(10).decode()


def remote_call():
    with xmlrpc.server.SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as server:
        server.register_function(pow)
        threading.Thread(target=server.handle_request, daemon=True).start()
        return xmlrpc.client.ServerProxy("http://127.0.0.1:%d/" % server.server_address[1]).pow(2, 10)


def threaded():
    class Echo(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(self.rfile.readline())
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        total = 0
        for number in range(50):
            with socket.create_connection(server.server_address) as client:
                client.sendall(b"%d\n" % number)
                total += int(client.makefile().readline())
        server.shutdown()
        return total


async def streams():
    async def echo(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        line = (await reader.readline()).decode().strip()
        writer.close()
        return line


def processes(method):
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool, context.Manager() as manager:
        shared = manager.list(pool.map(abs, range(-3, 0)))
        queue = context.Queue()
        child = context.Process(target=queue.put, args=(sum(shared),))
        child.start()
        result = queue.get(timeout=20)
        child.join()
        return result


if __name__ == "__main__":
    print("ipv4:", *loopback(socket.AF_INET, "127.0.0.1"))
    print("ipv6:", *loopback(socket.AF_INET6, "::1"))
    print("everywhere:", *loopback(socket.AF_INET, "0.0.0.0"))
    print("datagrams:", *datagrams())
    print("path:", local(os.path.join(tempfile.mkdtemp(), "socket")))
    print("abstract:", local("\0pysandbox-test-%d" % os.getpid()))
    print("pair:", pair())
    print("call:", remote_call())
    print("threads:", threaded())
    print("streams:", asyncio.run(streams()))
    for method in "fork", "spawn", "forkserver":
        print(f"{method}:", processes(method))
