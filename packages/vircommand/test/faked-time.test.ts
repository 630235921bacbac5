/** In a process of its own: the backend is loaded with the first start, and that is when time is faked already. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';

const code = `
  require('ts-node/register/transpile-only');
  const { mock } = require('node:test');
  const { Command } = require('vircommand');
  const { now } = performance;
  const burst = () => Promise.all(Array.from({ length: 10 }, async () => {
    const failed = await new Command('sh', ['-c', 'echo out; echo err >&2; exit 3'], { stdout: 'text' }).run().catch((e) => e);
    return failed.result.stdout + failed.stderrTail;
  }));
  const blocking = () => {
    try {
      new Command('sleep', ['60']).runSync({ timeout: 50 });
    } catch ({ name }) {
      return name;
    }
  };
  (async () => {
    mock.timers.enable({ apis: ['setImmediate', 'setTimeout', 'setInterval'] });
    performance.now = () => 0;
    const faked = [await burst(), blocking()];
    mock.timers.reset();
    performance.now = now;
    const afterwards = [await burst(), blocking()];
    console.log(JSON.stringify([new Set(faked[0]).size, faked[0][0], faked[1], new Set(afterwards[0]).size, afterwards[1]]));
  })();
`;

/** Before the import even. */
const early = (reads: boolean): string => `
  require('ts-node/register/transpile-only');
  const { mock } = require('node:test');
  mock.timers.enable({ apis: ['setImmediate', 'setTimeout', 'setInterval'] });
  process.hrtime = Object.assign(() => [0, 0], { bigint: () => 0n });
  const { Command } = require('vircommand');
  (async () => {
    await Promise.all(Array.from({ length: 10 }, () => new Command('sh', ['-c', 'sleep 0.1; echo']).run()));
    const running = await new Command('echo', ['out'], { stdout: 'pipe' }).runAsync();
    let out = '';
    if (${reads}) running.stdout.on('data', (chunk) => (out += chunk));
    const { exitCode } = await running.wait();
    running.stdout.destroy();
    console.log(JSON.stringify([exitCode, out]));
  })();
`;

describe('time that is faked before the first start', () => {
  function run(program: string, backend: string): unknown {
    const { stdout, status } = spawnSync(process.execPath, [...process.execArgv, '-e', program], {
      cwd: __dirname,
      encoding: 'utf8',
      env: { ...process.env, VIRCOMMAND_BACKEND: backend },
      timeout: 50_000,
    });
    return [status, stdout && JSON.parse(stdout)];
  }

  /** How a blocking run ends that has a deadline, which child-process does not declare. */
  const backends = { posix: 'CommandTimeoutError', 'child-process': 'UnsupportedFeatureError' };
  for (const [backend, ended] of Object.entries(backends)) {
    it(`holds nothing up, then and afterwards, with ${backend}`, function () {
      if (process.platform === 'win32') this.skip();
      expect(run(code, backend)).to.deep.equal([0, [1, 'out\nerr\n', ended, 1, ended]]);
    });

    it(`holds up no wait() for a pipe, read or not, also if that was before the import, with ${backend}`, function () {
      if (process.platform === 'win32') this.skip();
      expect(run(early(true), backend)).to.deep.equal([0, [0, 'out\n']]);
      expect(run(early(false), backend)).to.deep.equal([0, [0, '']]);
    });
  }
});
