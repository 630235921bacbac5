/**
 * A descriptor that is not close-on-exec, as careless native code makes them. Node opens none, but V8 opens its log with
 * fopen(3), and a new thread with logging switched on makes it do so.
 */
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

const closeOnExec = 0o2000000;

function inheritableNow(): number[] {
  if (!existsSync('/proc/self/fdinfo')) return [];
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      readlinkSync(`/proc/self/fd/${fd}`);
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
      return flags !== undefined && (parseInt(flags, 8) & closeOnExec) === 0 && Number(fd) > 2 ? [Number(fd)] : [];
    } catch {
      return [];
    }
  });
}

/** Such a descriptor, or `undefined` where none can be had. */
export async function openInheritable(
  logFile: string,
): Promise<{ readonly fd: number; close(): Promise<void> } | undefined> {
  const before = inheritableNow();
  setFlagsFromString('--log');
  setFlagsFromString('--no-logfile-per-isolate');
  setFlagsFromString(`--logfile=${logFile}`);
  const worker = new Worker('setInterval(() => undefined, 60_000)', { eval: true, stdout: true, stderr: true });
  const close = async (): Promise<void> => {
    await worker.terminate();
  };
  try {
    await new Promise<void>((resolve, reject) => {
      worker.once('online', resolve).once('error', reject);
    });
  } finally {
    setFlagsFromString('--no-log');
  }
  const fd = inheritableNow().find((candidate) => !before.includes(candidate));
  if (fd !== undefined) return { fd, close };
  await close();
  return undefined;
}
