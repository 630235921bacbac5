"""The same work by Python's subprocess: `python.py WAY PROGRAM ARGUMENTS`.

For each line on stdin the work is done once; the answer is the nanoseconds that it took and the bytes that were written.
"""

import subprocess
import sys
import time

way, command = sys.argv[1], sys.argv[2:]
stdout = subprocess.PIPE if way.startswith("capture") else subprocess.DEVNULL
for line in sys.stdin:
    begun = time.monotonic_ns()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL, check=True)
    taken = time.monotonic_ns() - begun
    print(taken, len(done.stdout or b""), flush=True)
