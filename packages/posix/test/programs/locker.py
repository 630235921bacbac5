"""Locks a pid file as libvirt does, says so, and waits: FILE TEXT [KIND [SECONDS]]

TEXT is what it writes ('self': its number). KIND: 'polite' (default), 'stubborn' (ignores SIGTERM), 'forks' (with a
child in its process group that sleeps for SECONDS; both ignore SIGTERM), 'read' (holds a lock for reading), 'lasting' (stays when its
stdin ends).
"""
import fcntl
import os
import signal
import sys

path, text, kind = (sys.argv[1:] + ['polite'])[:3]
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
fcntl.lockf(fd, (fcntl.LOCK_SH if kind == 'read' else fcntl.LOCK_EX) | fcntl.LOCK_NB, 1, 0)
os.ftruncate(fd, 0)
os.write(fd, (str(os.getpid()) if text == 'self' else text).encode())
if kind in ('stubborn', 'forks'):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if kind == 'forks':
    if os.fork() == 0:
        os.execvp('sleep', ['sleep', sys.argv[4]])
print('locked', flush=True)
sys.stdin.read()
while kind == 'lasting':
    signal.pause()
