/** A worker that looks at every thread of this process, until it is told to stop: ids and capabilities stay as they were. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { receiveMessageOnPort, parentPort } from 'node:worker_threads';

const fields = /^(?:Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|Seccomp):.*$/gm;
const ofMain = /^(?:Umask|NoNewPrivs):.*$/gm;

const read = (task: string): string => readFileSync(`/proc/self/task/${task}/status`, 'latin1');
const pick = (text: string, what: RegExp): string => (text.match(what) ?? []).join('\n');
const main = (): string => `${pick(read(String(process.pid)), ofMain)}\n${readlinkSync(`/proc/${process.pid}/cwd`)}`;

const credentials = pick(read(String(process.pid)), fields);
const own = main();
const different: string[] = [];
let looks = 0;
parentPort?.postMessage('ready');
while (parentPort !== null && receiveMessageOnPort(parentPort) === undefined) {
  for (const task of readdirSync('/proc/self/task')) {
    try {
      const seen = pick(read(task), fields);
      if (seen !== credentials) different.push(`${task}: ${seen}`);
    } catch {
      // It has ended.
    }
  }
  if (main() !== own) different.push(`main: ${main()}`);
  looks++;
}
parentPort?.postMessage({ looks, different });
