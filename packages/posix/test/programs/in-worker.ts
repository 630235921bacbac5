/** `in-worker HOW`: workers that run programs and end in one way or the other. Says what is left of them, as JSON. */
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Command } from '../../src';

const [, , how = ''] = process.argv;
const openFds = (): number => readdirSync('/proc/self/fd').length;
const children = (): string[] =>
  readdirSync('/proc/self/task').flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'latin1').split(' ').filter(Boolean),
  );
const rounds = 12;

/** What a worker does; it has said something before it waits to be ended. */
const work: Readonly<Record<string, () => Promise<void>>> = {
  /** Attributes that a thread could set, at the moment when the worker is terminated. */
  async attributes() {
    for (let run = 0; run < 3; run++) await new Command('true').run();
    parentPort?.postMessage('now');
    await Promise.allSettled([new Command('true').setNice(2).run(), new Command('true').setUmask(0o27).run()]);
  },

  /** It has its result. */
  async result() {
    parentPort?.postMessage((await new Command('echo', ['hi'], { stdout: 'text' }).run()).stdout);
  },

  /** Its programs run: by both ways, with output that is captured, and with streams. They end with their input. */
  async running() {
    const cat = (): Command => new Command('cat').setInputFd('pipe');
    const commands = [
      cat().setOutputBuffer().doAsyncIo(),
      cat().setOutputBuffer().doAsyncIo(),
      cat().setOutputFd('pipe'),
    ];
    await Promise.all(
      [...commands, cat().setOutputBuffer().doAsyncIo().setUmask(0o27)].map((command) => command.runAsync()),
    );
    parentPort?.postMessage('now');
    // Some of it is handed to the event loop by now, some is not. What is on its way just then may be lost.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },

  /** Files are opened for its programs. */
  async files() {
    for (let run = 0; run < 3; run++) await new Command('true').setOutputFile('/dev/null').run();
    new Command('true').setOutputFile('/dev/null').runSync();
    parentPort?.postMessage('now');
  },

  /** It ends by itself, and its program with it. */
  async guaranteed() {
    // eslint-disable-next-line vircommand/no-undisposed-running -- the end of the worker is what ends it
    await new Command('sleep', ['60']).runAsync({ killOnParentExit: 'guaranteed' });
    process.exit();
  },
};

async function round(number: number): Promise<void> {
  const worker = new Worker(__filename, { workerData: how });
  const over = new Promise((resolve) => worker.once('exit', resolve));
  if (how !== 'guaranteed') {
    await new Promise((resolve) => worker.once('message', resolve));
    await new Promise((resolve) => setTimeout(resolve, how === 'attributes' ? number * 4 : 0));
    // Numbers that were the worker's are ours now, and stay ours.
    const ours = Array.from({ length: 20 }, () => openSync('/dev/null', 'r'));
    await worker.terminate();
    for (const fd of ours) closeSync(fd);
  }
  await over;
}

async function main(): Promise<void> {
  await round(0);
  const before = openFds();
  for (let number = 0; number < rounds; number++) await round(number);
  // A program of a worker that was terminated is nobody's; those that it has waited for are gone.
  const left = how === 'attributes' || how === 'running' ? [] : children();
  process.stdout.write(JSON.stringify({ left, more: how === 'attributes' ? 0 : openFds() - before }));
}

if (isMainThread) void main();
else {
  // Until it is terminated.
  const alive = setInterval(() => undefined, 1000);
  alive.ref();
  void work[workerData as string]?.();
}
