"""Reads requests of a known length and writes their bodies to a backend: the least that forwarding
costs. Arguments: the port to listen on, the backend's, and the length of each body.
"""

import socket
import sys

port, backend_port, length = map(int, sys.argv[1:])
listener = socket.create_server(("127.0.0.1", port))
while True:
    sender, _ = listener.accept()
    data = sender.recv(8192)
    if not data:
        continue  # somebody asked whether this listens
    backend = socket.create_connection(("127.0.0.1", backend_port))
    head = f"POST /v1/traces HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n".encode()
    while data:
        parts = [head, data[data.index(b"\r\n\r\n") + 4 :]]
        left = length - len(parts[1])
        while left:
            parts.append(sender.recv(min(left, 262144)))
            left -= len(parts[-1])
        sender.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        for part in parts:
            backend.sendall(part)
        backend.recv(4096)
        data = sender.recv(8192)
