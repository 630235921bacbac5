/** Closes its own 0, 1 and 2, starts programs, and writes what they saw to a file: path and driver are the arguments. */
import { writeFileSync } from 'node:fs';
import { chosenDriver } from '../../src/ffi';
import { libcThrough } from '../../src/libc';
import { LINUX } from '../../src/linux';
import { startProcess } from '../../src/spawn';
import { cString } from '../../src/struct';
import { finish, look, planOf } from '../plans';

const [, , report = '', driver] = process.argv;
const libc = libcThrough(chosenDriver(driver as 'koffi'));
for (const fd of [0, 1, 2]) libc.close(fd);

const pipes = startProcess(
  planOf({ stdin: { type: 'pipe' }, stdout: { type: 'pipe' }, stderr: { type: 'pipe' }, sendBuffers: [3] }),
  libc,
);
const seen = [look(pipes.pid).fds];
const ends = pipes.parentEnds;
const ours = [ends.stdin, ends.stdout, ends.stderr, ...ends.sendBuffers];
finish(pipes, libc);

// Now with descriptors of ours on those numbers, crossed.
const files = ['/etc/passwd', '/etc/hostname', '/etc/group'].map((path) =>
  libc.openat(LINUX.AT_FDCWD, cString(path), 0, 0),
);
const crossed = startProcess(
  planOf({
    stdin: { type: 'fd', fd: 2 },
    stdout: { type: 'fd', fd: 0 },
    stderr: { type: 'pipe' },
    passFds: [{ fd: 1, as: 4 }],
  }),
  libc,
);
seen.push(look(crossed.pid).fds);
finish(crossed, libc);
const after = files.map((fd) => libc.fcntl(fd, 1, 0));
writeFileSync(report, JSON.stringify({ seen, ours, files, after }));
