/**
 * Starts programs that are held before they are executed, one after another and in bursts, until it is ended. Arguments: how
 * it ends (`kill`: from outside; `exit`, `throw`; `terminate`: the worker thread that starts is), and after how many
 * milliseconds. A third one marks it and its programs.
 */
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { Command } from '@vircommand/posix';

const [how = '', after = '', mark = ''] = isMainThread ? process.argv.slice(2) : (workerData as string[]);

const held = (): Promise<unknown> =>
  new Command('/bin/true', [mark]).setUmask(0o77).setNice(1).setMaxFiles(100).setMaxCoreSize(0).run();

async function hold(): Promise<void> {
  await held();
  process.stdout.write('running\n');
  for (;;) {
    await held();
    await Promise.all(Array.from({ length: 6 }, held));
  }
}

function end(): void {
  if (how === 'exit') process.exit(3);
  throw new Error('as asked');
}

if (how === 'terminate' && isMainThread) {
  const worker = new Worker(__filename, { workerData: [how, after, mark], stdout: true });
  worker.stdout.once('data', () => {
    process.stdout.write('running\n');
    setTimeout(() => {
      void worker.terminate().then(() => {
        process.stdout.write('terminated\n');
        process.stdin.resume().once('end', () => process.exit(0));
      });
    }, Number(after));
  });
} else {
  void hold();
  const begin = process.stdout.write.bind(process.stdout);
  if (how === 'exit' || how === 'throw') {
    process.stdout.write = (chunk: string | Uint8Array) => {
      setTimeout(end, Number(after));
      return begin(chunk);
    };
  }
}
