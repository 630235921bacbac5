/** A worker that starts programs and says what they saw. */
import { parentPort, workerData } from 'node:worker_threads';
import type { DriverName } from '../../src/ffi';
import { libcThrough } from '../../src/libc';
import { capture, observe, openFds, planOf, sh } from '../plans';

const { driver, variable } = workerData as { driver: DriverName; variable: string };
const libc = libcThrough(driver);
process.env[variable] = 'of the worker';
const before = openFds();
const { fds, ignored, blocked, env } = observe(planOf(), libc);
const { status, stdout } = capture(sh(`echo "$${variable}"`), libc);
parentPort?.postMessage({
  fds,
  signals: [ignored, blocked],
  inherited: env.toString().split('\0').includes(`${variable}=of the worker`),
  status,
  stdout,
  leaked: openFds().filter((fd) => !before.includes(fd)),
});
