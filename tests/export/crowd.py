#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""crowd.py PORT SCRAPES HALF_OPEN SLOW: a crowd of clients on loopback.

HALF_OPEN connections send half a request and no more, SLOW ones ask for everything and read nothing;
then SCRAPES clients ask at once, each on a connection of its own. Prints one line: how many got a
whole exposition, how many different ones there were (one collection is shared), and the longest time
in seconds. Exits 1 if one of them got none within ten seconds.
"""
import selectors
import socket
import sys
import time

REQUEST = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def connect(port):
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex(("127.0.0.1", port))
    return connection


def wait_writable(connections, seconds):
    """Those that were accepted by the kernel within the time."""
    selector = selectors.DefaultSelector()
    for connection in connections:
        selector.register(connection, selectors.EVENT_WRITE)
    end = time.monotonic() + seconds
    left = len(connections)
    while left and time.monotonic() < end:
        for key, _ in selector.select(0.1):
            selector.unregister(key.fileobj)
            left -= 1
    return left


def say(connection, text):
    try:
        connection.send(text)
    except OSError:
        pass  # it was closed to make room


def scrape(port, count):
    selector = selectors.DefaultSelector()
    answers = {}
    began = time.monotonic()
    for _ in range(count):
        connection = connect(port)
        answers[connection] = b""
        selector.register(connection, selectors.EVENT_WRITE)
    waiting, bodies, longest = set(answers), set(), 0.0
    whole = 0
    while waiting and time.monotonic() - began < 10:
        for key, _ in selector.select(0.1):
            connection = key.fileobj
            if key.events == selectors.EVENT_WRITE:
                say(connection, REQUEST)
                selector.modify(connection, selectors.EVENT_READ)
                continue
            try:
                part = connection.recv(1 << 16)
            except OSError:
                part = b""
            answers[connection] += part
            if part:
                continue
            selector.unregister(connection)
            waiting.discard(connection)
            head, _, body = answers[connection].partition(b"\r\n\r\n")
            if head.startswith(b"HTTP/1.1 200") and b"nosnoop_build_info" in body:
                whole += 1
                bodies.add(body)
                longest = max(longest, time.monotonic() - began)
    return whole, len(bodies), longest


def main():
    port, scrapes, half_open, slow = map(int, sys.argv[1:5])
    crowd = [connect(port) for _ in range(half_open + slow)]
    left = wait_writable(crowd, 10)
    for connection in crowd[:half_open]:
        say(connection, REQUEST[:20])
    for connection in crowd[half_open:]:
        say(connection, REQUEST)
    whole, different, longest = scrape(port, scrapes)
    print(f"{whole} of {scrapes} whole, {different} different, {longest:.3f} s at most, "
          f"{half_open + slow - left} in the way")
    return 0 if whole == scrapes else 1


sys.exit(main())
