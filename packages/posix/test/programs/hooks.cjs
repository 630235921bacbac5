/** Hooks that do what they should not, and what is left then. */
'use strict';
const { spawn } = require('node:child_process');
const { createServer } = require('node:net');
const { Worker } = require('node:worker_threads');

/** Keeps the event loop alive. */
const stay = () => setInterval(() => undefined, 1000);

module.exports = {
  exits: () => process.exit(0),
  exitsLater: () => new Promise(() => setTimeout(() => process.exit(3), 1)),
  isKilled: () => new Promise(() => void stay() & process.kill(process.pid, 'SIGKILL')),
  forgets: () => new Promise(() => undefined),
  never: () => new Promise(stay),
  waits: ({ note }) => {
    require('node:fs').writeFileSync(note, '');
    return new Promise(stay);
  },
  throwsText: () => {
    throw 'only text';
  },
  readsNothing: () => require('node:fs').readFileSync('/nope'),
  throwsCode: () => {
    throw { code: 'EWHAT', errno: 3n, syscall: 5 };
  },
  throwsCodeLater: () =>
    new Promise(() =>
      setTimeout(() => {
        throw Object.assign(new RangeError('later'), { code: 'EWHAT' });
      }, 1),
    ),
  showsEnvironment: ({ note }) => require('node:fs').writeFileSync(note, JSON.stringify(process.env)),
  throwsNothing: () => {
    throw undefined;
  },
  throwsUnshowable: () => {
    throw Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('y');
      },
    });
  },
  throwsMuch: () => {
    throw new Error(`first\nzweite Zeile, größer ${'x'.repeat(300_000)} the end`);
  },
  throwsLater: () => new Promise(() => setTimeout(() => void JSON.parse('{'), 1)),
  rejectsAside: () => {
    void Promise.reject(new Error('nobody waits for this'));
  },
  rejectsAsideAndStays: () => {
    void Promise.reject(new Error('nobody waits for this'));
    return new Promise(stay);
  },
  returnsThenable: () => ({ then: (_resolve, reject) => reject(new Error('as a thenable')) }),

  async leavesThings({ note }) {
    stay();
    const server = createServer().listen(0);
    await new Promise((resolve) => server.once('listening', resolve));
    const worker = new Worker('setInterval(() => undefined, 1000)', { eval: true });
    await new Promise((resolve) => worker.once('online', resolve));
    require('node:fs').openSync('/etc/passwd', 'r');
    process.on('SIGTERM', () => undefined);
    // In its own group, so that it outlives the program.
    const child = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true });
    require('node:fs').writeFileSync(note, String(child.pid));
  },
  async speaks() {
    console.log('from the hook');
    console.error('from the hook');
    await new Promise((resolve) => process.stdout.write('x'.repeat(100_000), resolve));
    for await (const chunk of process.stdin) throw new Error(`read ${chunk}`);
  },
  changes() {
    process.chdir('/usr');
    process.umask(0o12);
    process.env.FROM_HOOK = '1';
    process.title = 'hook';
  },
};
