# layers: base threads ipc net server
import http.client, http.server, socket, threading


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"served")

    def log_message(self, *arguments):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
connection.request("GET", "/")
assert connection.getresponse().read() == b"served"
server.shutdown()

receiver, sender = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
sender.sendto(b"datagram", receiver.getsockname())
assert receiver.recvfrom(16)[0] == b"datagram"
sender.connect(receiver.getsockname())
sender.sendmsg([b"message"])
assert receiver.recvmsg(16)[0] == b"message"
sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 9)
assert sender.getsockopt(socket.IPPROTO_IP, socket.IP_TTL) == 9
assert sender.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
