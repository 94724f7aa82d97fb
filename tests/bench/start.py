#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""start.py: how long a program takes from its execve to what it shows first.

usage: start.py NAME WORDS PROGRAM [ARG...]: runs it on a terminal of 80x24, waits until each of the words
(separated by commas) was written, prints "start_NAME SECONDS" and kills it. What waits sleeps in a read: in an
emulated machine with one thread, one that polls takes its time from whom it measures.
"""
import fcntl
import mmap
import os
import pty
import signal
import struct
import sys
import termios
import time


def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def main():
    name, words, *command = sys.argv[1:]
    missing = set(words.encode().split(b","))
    begin = mmap.mmap(-1, mmap.PAGESIZE)  # shared with the child
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        begin[:8] = struct.pack("d", now())
        os.execvp(command[0], command)
    seen = b""
    while any(word not in seen for word in missing):
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            sys.exit(f"{command[0]} ended before it showed {words}: {seen.decode(errors='replace')}")
    print(f"start_{name} {now() - struct.unpack('d', begin[:8])[0]:.6f}")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
