import { spawnSync } from 'node:child_process';
import { mock } from 'node:test';
import * as timers from 'node:timers';
import { expect } from 'chai';
import { realTime } from '../src/real-time';

/** Prints how often it was called back in time: one is cancelled. */
const program = `
  require('ts-node/register/transpile-only');
  FAKE;
  const { realTime } = require('../src/real-time');
  let calls = 0;
  const call = () => calls++;
  realTime.nextTurn(call);
  realTime.afterTwoTurns(call);
  realTime.after(0, call);
  if (calls > 0) throw new Error('called back at once');
  realTime.after(20, call)();
  realTime.nextTurn(() => {
    // A timer counts from when the turn began.
    const begun = process.uptime();
    realTime.after(50, () => {
      if (process.uptime() - begun < 0.025) throw new Error('too early');
      console.log(calls);
    });
  });
`;

describe('real time', () => {
  const { hrtime } = process;

  it('goes on while it is faked', async () => {
    const { setTimeout } = timers;
    mock.timers.enable({ apis: ['setImmediate', 'setTimeout', 'setInterval'] });
    process.hrtime = Object.assign(() => [0, 0] as [number, number], { bigint: () => 0n });
    try {
      expect(timers.setTimeout).not.to.equal(setTimeout);
      const before = realTime.now();
      await new Promise<void>((resolve) => realTime.after(1, resolve));
      expect(realTime.now()).to.be.above(before);
      await new Promise<void>(realTime.nextTurn);
      await new Promise<void>(realTime.afterTwoTurns);
    } finally {
      mock.timers.reset();
      process.hrtime = hrtime;
    }
  });

  function printed(code: string): string {
    const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, '-e', code], {
      cwd: __dirname,
      encoding: 'utf8',
      timeout: 50_000,
    });
    return stdout || stderr;
  }

  const fakes = {
    'but for the scheduler': `require('node:test').mock.timers.enable({ apis: ['setImmediate', 'setTimeout'] })`,
    'all of it': `require('node:test').mock.timers.enable()`,
    'not at all': '',
  };
  for (const [what, fake] of Object.entries(fakes)) {
    it(`goes on where it was faked before this package was loaded: ${what}`, () => {
      expect(printed(program.replace('FAKE', fake))).to.equal('3\n');
    });
  }

  it('has timers that keep no process', () => {
    const code = `
      require('ts-node/register/transpile-only');
      require('../src/real-time').realTime.after(100_000, () => {}, { ref: false });
      console.log('over');
    `;
    expect(printed(code)).to.equal('over\n');
  });
});
