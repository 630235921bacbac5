/** Signals: the program gets each of them, once, and we end as it does. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { scratch, until } from './installed';
import { isSleep } from './peer';
import { startAlone, startAtTerminal, type Started } from './started';

/**
 * Says its pid, then what it gets; ends after TERM. Sleeping in the background, the shell hears of signals at once. KILL,
 * since a shell that has just forked loses any other signal.
 */
const listener = `
  for s in INT HUP QUIT USR1 USR2 WINCH; do trap "echo got $s" $s; done
  trap 'echo got TERM; kill -KILL $!; exit 5' TERM
  echo "pid $$"
  while :; do sleep 60 & wait $!; kill -KILL $! 2>/dev/null; done`;

const state = (pid: number): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) (.).*$/s, '$1');
  } catch {
    return undefined;
  }
};

const pidOf = async (started: Started): Promise<number> => Number((await started.wrote(/pid (\d+)/))[1]);
const times = (text: string, what: string): number => text.split(what).length - 1;

describe('signals', function () {
  this.timeout(60_000);
  if (process.platform !== 'linux') return;
  const open: Started[] = [];
  const keep = (started: Started): Started => {
    open.push(started);
    return started;
  };
  afterEach(async () => {
    for (const started of open.splice(0)) await started[Symbol.asyncDispose]();
  });

  for (const flags of [['--no-exec'], ['--backend', 'child-process'], []]) {
    it(`reach the program once each: run ${flags.join(' ')}`, async () => {
      const started = keep(await startAlone(['run', ...flags, '--', 'sh', '-c', listener]));
      await pidOf(started);
      for (const name of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
        started.send(name);
        await started.wrote(new RegExp(`got ${name.slice(3)}`));
      }
      started.send('SIGTERM');
      const { status, text } = await started.end();
      expect(status).to.equal(5);
      for (const name of ['HUP', 'USR1', 'USR2', 'TERM']) expect(times(text, `got ${name}`), name).to.equal(1);
    });
  }

  it('INT, QUIT and WINCH reach a program in a group of its own', async () => {
    const started = keep(await startAlone(['run', '--no-exec', '--process-group', 'own', '--', 'sh', '-c', listener]));
    await pidOf(started);
    for (const name of ['SIGINT', 'SIGQUIT', 'SIGWINCH'] as const) {
      started.send(name);
      await started.wrote(new RegExp(`got ${name.slice(3)}`));
    }
    started.send('SIGTERM');
    expect((await started.end()).status).to.equal(5);
  });

  for (const [name, status] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const) {
    for (const flags of [['--no-exec'], ['-t', '40'], ['--backend', 'child-process', '--no-exec']]) {
      it(`${name} ends a program that is stopped: run ${flags.join(' ')}`, async () => {
        const sleeper = ['--', 'sh', '-c', 'ulimit -c 0; echo "pid $$"; exec sleep 1000'];
        const started = keep(await startAlone(['run', ...flags, ...sleeper]));
        const pid = await pidOf(started);
        process.kill(pid, 'SIGSTOP');
        await until(() => state(pid) === 'T');
        started.send(name);
        expect((await started.end()).status).to.equal(status);
      });
    }
  }

  for (const [name, status] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGUSR1', 138],
  ] as const) {
    it(`a program that ${name} ends makes our status ${status}`, async () => {
      const sleeper = ['--', 'sh', '-c', 'echo ready; exec sleep 1000'];
      const started = keep(await startAlone(['run', '--no-exec', ...sleeper]));
      await started.wrote(/ready/);
      started.send(name);
      expect(await started.end()).to.deep.include({ status, signal: undefined });
      const became = keep(await startAlone(['run', ...sleeper]));
      await became.wrote(/ready/);
      became.send(name);
      expect(await became.end()).to.deep.include({ status: undefined, signal: name });
    });
  }

  it('SIGINT that ended the program ends us as well, so that a shell knows', async () => {
    const started = keep(await startAlone(['run', '--no-exec', '--', 'sh', '-c', 'echo ready; exec sleep 1000']));
    await started.wrote(/ready/);
    started.send('SIGINT');
    expect(await started.end()).to.deep.include({ status: undefined, signal: 'SIGINT' });
  });

  it('with --die-with-parent the kernel ends the program when we are killed', async () => {
    const started = keep(
      await startAlone(['run', '--die-with-parent', '--', 'sh', '-c', 'echo "pid $$"; exec sleep 1000']),
    );
    const pid = await pidOf(started);
    started.send('SIGKILL');
    await until(() => ['Z', undefined].includes(state(pid)));
  });

  describe('at a terminal', () => {
    it('Ctrl-C and Ctrl-\\ reach the program once, and TERM that is for us too', async () => {
      const started = keep(
        await startAtTerminal(
          `echo "us $$"; exec vircommand run --no-exec -- sh -c '${listener.replaceAll("'", `'\\''`)}'`,
        ),
      );
      const us = Number((await started.wrote(/us (\d+)/))[1]);
      await pidOf(started);
      started.type('\x03');
      await started.wrote(/got INT/);
      started.type('\x1c');
      await started.wrote(/got QUIT/);
      process.kill(us, 'SIGTERM');
      const { text, status } = await started.end();
      expect(status).to.equal(5);
      for (const name of ['INT', 'QUIT', 'TERM']) expect(times(text, `got ${name}`), name).to.equal(1);
    });

    it('a program that does not care gets what was sent to us alone', async () => {
      const started = keep(
        await startAtTerminal(`echo "us $$"; exec vircommand run --no-exec -- sh -c 'echo "pid $$"; exec sleep 1000'`),
      );
      const us = Number((await started.wrote(/us (\d+)/))[1]);
      const pid = await pidOf(started);
      // A shell handles SIGINT, and so seems to have got it from the terminal.
      await until(() => isSleep(pid));
      process.kill(us, 'SIGINT');
      // script(1) tells a death by a signal as a shell does.
      expect((await started.end()).status).to.equal(130);
    });

    for (const flag of ['', '--no-exec']) {
      it(`Ctrl-C ends the loop that a shell is in: run ${flag}`, async () => {
        const loop = `for i in 1 2 3; do vircommand run ${flag} -- sh -c "echo round $i; exec sleep 1000"; done; echo after`;
        const started = keep(await startAtTerminal(`bash -c '${loop}'`));
        await started.wrote(/round 1/);
        started.type('\x03');
        const { text } = await started.end();
        expect(text).to.not.match(/round 2|after/);
      });
    }
  });
});

describe('the live line', function () {
  this.timeout(60_000);
  if (process.platform !== 'linux') return;

  it('tells time and output on a terminal, and is gone at the end', async () => {
    const started = await startAtTerminal(
      `vircommand run --live -- sh -c 'head -c 2000 /dev/zero; read -r line' > "$FILE"`,
      { FILE: path.join(scratch(), 'output') },
    );
    await started.wrote(/\r\x1b\[K\d+ s, 2\.0 KiB of output/);
    started.type('\n');
    const { text } = await started.end();
    expect(text.endsWith('\r\x1b[K')).to.equal(true);
  });

  it('is not there where there is no terminal, or where the program itself writes to it', async () => {
    const alone = await startAlone(['run', '--live', '--', 'sleep', '2.6']);
    expect((await alone.end()).text).to.equal('');
    const both = await startAtTerminal('vircommand run -- sleep 2.6');
    expect((await both.end()).text).to.equal('');
  });
});
