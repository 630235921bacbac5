/** Whatever ends the process, or the thread that starts, while programs are held before exec: nothing of them stays. */
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { bundled, bundledEnv, removeBundled } from './bundled';
import { until } from './started';

const rounds = Number(process.env.VIRCOMMAND_KILL_ROUNDS ?? 8);

/** Processes with this word in their command line: a program that is held still has that of who started it. */
function marked(mark: string, except?: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const pid = Number(name);
      return pid !== except && readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(mark) ? [pid] : [];
    } catch {
      return [];
    }
  });
}

/** How long anything of it was there after the end, in milliseconds. */
async function lifeAfter(how: string, round: number): Promise<number> {
  const mark = `vircommand-held-${process.pid}-${how}-${round}`;
  const after = (round * 0.77) % 9;
  const holder = spawn(process.execPath, [bundled('holder'), how, String(after), mark], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...bundledEnv(), VIRCOMMAND_WAY: 'thread' },
  });
  const exited = once(holder, 'exit');
  let text = '';
  let closed = false;
  holder.stdout.on('data', (chunk) => (text += String(chunk)));
  holder.once('close', () => (closed = true));
  const said = async (word: string): Promise<void> => {
    await until(() => text.includes(word) || closed);
    if (!text.includes(word)) throw new Error(`it ended before it said ${word}`);
  };
  try {
    await said('running');
    if (how === 'kill') {
      await delay(after);
      holder.kill('SIGKILL');
    }
    if (how === 'terminate') await said('terminated');
    else await exited;
    const begun = performance.now();
    const except = how === 'terminate' ? holder.pid : undefined;
    while (marked(mark, except).length > 0) {
      if (performance.now() - begun > 20_000) throw new Error(`alive: ${marked(mark, except).join(' ')}`);
      await delay(2);
    }
    return performance.now() - begun;
  } finally {
    holder.stdin.end();
    await exited;
  }
}

describe('a start that is held', function () {
  this.timeout(60_000 + rounds * 10_000);
  after(removeBundled);

  for (const how of ['kill', 'exit', 'throw', 'terminate']) {
    it(`is over when its process ends by ${how}, at ${rounds} moments`, async function () {
      let longest = 0;
      for (let round = 0; round < rounds; round++) longest = Math.max(longest, await lifeAfter(how, round));
      if (this.test !== undefined) this.test.title += ` (at most ${Math.ceil(longest)} ms later)`;
      // Far from the 45 s after which the kernel breaks a lease, on a busy machine too.
      expect(longest).to.be.below(5000);
    });
  }
});
