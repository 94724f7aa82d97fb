#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""screen.py: how long a program takes from its start to a complete first screen.

usage: screen.py PROGRAM WORD: starts it on a terminal of 80x24, waits until the screen has WORD and
its last line, prints "start_nosnooptop BEGIN END" and ends it.
"""
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import time


def main():
    program, word = sys.argv[1], sys.argv[2].encode()
    seen = b""
    begin = time.time()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.execv(program, [program])
    while word not in seen or b"quit" not in seen:
        seen += os.read(terminal, 65536)
    print(f"start_nosnooptop {begin:.6f} {time.time():.6f}")
    os.kill(pid, signal.SIGTERM)
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
