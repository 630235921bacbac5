import { constants } from 'node:buffer';
import { expect } from 'chai';
import {
  CommandExitError,
  CommandStartError,
  CommandTimeoutError,
  CommandUsageError,
  OutputLimitError,
} from '@vircommand/core';
import { startError, type SyncRequest } from '@vircommand/core/backend';
import { thrown } from './caught';
import { fake } from './fake-backend';

describe('a synchronous run', () => {
  it('hands over its bounds as data, and gives back what was captured', () => {
    let request: SyncRequest | undefined;
    const { Command } = fake(undefined, {
      sync: (_plan, given) => {
        request = given;
        return { stdout: Buffer.from('out'), stderr: Buffer.from('é') };
      },
    });
    const command = new Command('x')
      .setInputBuffer('in')
      .setOutputBuffer('buffer')
      .setErrorBuffer()
      .setSendBuffer(3, 'send');
    const result = command.runSync({
      timeout: 5,
      killDelay: 6,
      drainDelay: 7,
      outputLimit: { stdout: 8, total: 9, onExceed: 'truncate' },
    });
    expect(result).to.deep.include({ stdout: Buffer.from('out'), stderr: 'é', exitCode: 0 });
    expect(request).to.deep.equal({
      input: Buffer.from('in'),
      sendBuffers: [Buffer.from('send')],
      timeout: 5,
      killDelay: 6,
      drainDelay: 7,
      limit: { stdout: 8, stderr: constants.MAX_STRING_LENGTH, total: 9, onExceed: 'truncate' },
      stderrTail: undefined,
    });
  });

  it('asks for the end of stderr where nobody asked for all of it', () => {
    let tail: number | undefined;
    const { Command } = fake(undefined, {
      sync: (_plan, request) => {
        tail = request.stderrTail;
        return { exitCode: 2, stderr: Buffer.from('why') };
      },
    });
    const error = thrown(() => new Command('x').runSync(), CommandExitError);
    expect([error.stderrTail, error.result.stderr, tail]).to.deep.equal(['why', undefined, 8192]);
  });

  it('encoding buffer gives bytes of all', () => {
    const { Command } = fake(undefined, { sync: () => ({ stdout: Buffer.from('a') }) });
    expect(new Command('x').setOutputBuffer().runSync({ encoding: 'buffer' }).stdout).to.deep.equal(Buffer.from('a'));
  });

  it('an end that is no character stays where only the other stream was cut', () => {
    const outcome = { stdout: Buffer.from('caf\xe9', 'latin1'), stderr: Buffer.from('漢字').subarray(0, 5) };
    for (const [incomplete, stdout, stderr] of [
      ['stderr', 'caf\ufffd', '漢'],
      ['stdout', 'caf', '漢\ufffd'],
      [undefined, 'caf', '漢'],
    ] as const) {
      const { Command } = fake(undefined, { sync: () => ({ ...outcome, outputComplete: false, incomplete }) });
      const result = new Command('x').setOutputBuffer().setErrorBuffer().runSync();
      expect(result).to.include({ stdout, stderr, outputComplete: false });
    }
  });

  it('its endings are the errors of run()', () => {
    const outcome = { stdout: Buffer.from('part'), exitCode: undefined, signal: 'SIGTERM', ended: 'group' } as const;
    const late = fake(undefined, { sync: () => ({ ...outcome, ending: 'timeout' }) });
    const timeout = thrown(() => new late.Command('x').setOutputBuffer().runSync({ timeout: 9 }), CommandTimeoutError);
    expect(timeout).to.include({ timeout: 9 });
    expect(timeout.result).to.include({ stdout: 'part', timedOut: true, ended: 'group', signal: 'SIGTERM' });
    const much = fake(undefined, { sync: () => ({ ...outcome, ending: 'output-limit', exceeded: 'total' }) });
    const limit = thrown(
      () => new much.Command('x').setOutputBuffer().runSync({ outputLimit: { total: 4 } }),
      OutputLimitError,
    );
    expect(limit).to.include({ stream: 'total', limit: 4 });
  });

  it('a failed start is thrown, also that of somebody else', () => {
    const throwing = (error: Error) => fake(undefined, { sync: () => { throw error; } }); // prettier-ignore
    const ours = throwing(startError('cwd', Object.assign(new Error('ENOENT'), { code: 'ENOENT' }), '/d'));
    expect(thrown(() => new ours.Command('x').runSync(), CommandStartError)).to.include({
      stage: 'cwd',
      code: 'ENOENT',
      path: '/d',
      command: 'x',
    });
    const foreign = throwing(new RangeError('odd'));
    expect(thrown(() => new foreign.Command('x').runSync(), CommandStartError)).to.include({ stage: 'backend' });
  });

  it('takes no AbortSignal, and says why', () => {
    const { Command } = fake();
    const error = thrown(
      () => new Command('x').runSync({ signal: new AbortController().signal } as never),
      CommandUsageError,
    );
    expect(error.message).to.contain('cannot fire while the thread is blocked');
  });

  it('text that no string can hold is OutputLimitError, and no foreign RangeError', () => {
    // Pages that nobody touches cost nothing; the decoded text does.
    const { Command } = fake(undefined, { sync: () => ({ stdout: new Uint8Array(constants.MAX_STRING_LENGTH + 1) }) });
    const error = thrown(() => new Command('x').setOutputBuffer().runSync({ encoding: 'latin1' }), OutputLimitError);
    expect(error).to.include({ stream: 'stdout', limit: constants.MAX_STRING_LENGTH });
    expect(error.result.outputComplete).to.equal(false);
  });
});
