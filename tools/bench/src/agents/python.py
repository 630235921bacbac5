"""The same work by Python's subprocess: `python.py WAY AMOUNT MEBIBYTES PROGRAM ARGUMENTS`.

For each line on stdin the work is done once; the answer is JSON: `taken`, in milliseconds, and `bytes`.
"""

import json
import os
import resource
import subprocess
import sys
import time

way, amount, held, command = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
# Not bytearray(n), which are zeros that nobody has touched.
filled = bytearray(b"\1") * (held << 20)
payload = b"x" * amount if way == "feed" else b""
message = b"x" * 64


def start():
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, **quiet)


def start_umask():
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, umask=0o27, **quiet)


def limit():
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def start_limited():
    # The documented way, though it runs Python between fork and exec.
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, umask=0o27, preexec_fn=limit, **quiet)


def capture():
    return len(subprocess.run(command, stdout=subprocess.PIPE, check=True, **quiet).stdout)


def stream():
    read = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0, **quiet) as child:
        while chunk := child.stdout.read(65536):
            read += len(chunk)
    return read


def lines():
    with subprocess.Popen(command, stdout=subprocess.PIPE, **quiet) as child:
        return sum(1 for _ in child.stdout)


def feed():
    return int(subprocess.run(command, input=payload, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)


def talk():
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as child:

        def trip():
            child.stdin.write(message)
            left = len(message)
            while left > 0:
                left -= len(child.stdout.read(left))

        trip()
        begun = time.monotonic_ns()
        for _ in range(amount):
            trip()
        return time.monotonic_ns() - begun


works = {
    "start": start,
    "startSync": start,
    "startUmask": start_umask,
    "startLimited": start_limited,
    "capture": capture,
    "captureSync": capture,
    "stream": stream,
    "lines": lines,
    "feed": feed,
    "talk": talk,
}
for line in sys.stdin:
    begun = time.monotonic_ns()
    found = works[way]() or 0
    taken = found if way == "talk" else time.monotonic_ns() - begun
    print(json.dumps({"taken": taken / 1e6, "bytes": 0 if way == "talk" else found}), flush=True)
