/** Many runs, a third of them failing, at each stage in turn: as much is left as there was. VIRCOMMAND_SOAK_RUNS for more. */
import { Command, CommandError, type RunOptions } from '@vircommand/posix';
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { openFds } from './plans';
import { until } from './started';

const runs = Number(process.env.VIRCOMMAND_SOAK_RUNS ?? 240);
/** At once, on the event loop. */
const atOnce = 8;

const to = (program: string, args: string[] = []): Command<'text'> => new Command(program, args, { stdout: 'text' });

/** What fails, by how it ends. */
const failures: Readonly<Record<string, () => readonly [Command, RunOptions?]>> = {
  'CommandStartError resolve': () => [to('vircommand-no-such-program')],
  'CommandStartError exec': () => [to('/etc/passwd')],
  'CommandStartError cwd': () => [to('/bin/true').setWorkingDirectory('/no/such')],
  'CommandStartError stdio': () => [new Command('/bin/true', [], { stdin: { file: '/no/such' }, stdout: 'text' })],
  'CommandExitError undefined': () => [to('/bin/false')],
  'CommandTimeoutError undefined': () => [to('/bin/sleep', ['1000']), { timeout: 1, killDelay: 0 }],
  'OutputLimitError undefined': () => [to('/bin/echo', ['12345']), { outputLimit: 3, killDelay: 0 }],
};
const kinds = Object.entries(failures);

const described = (error: unknown): string => {
  if (!(error instanceof CommandError)) throw error;
  return `${error.name} ${String(Reflect.get(error, 'stage'))}`;
};

/** One run; how it ended. */
async function runOne(index: number, sync: boolean): Promise<void> {
  const kind = index % 3 === 0 ? kinds[(index / 3) % kinds.length] : undefined;
  const [command, options] = kind?.[1]() ?? [to('/bin/echo', [String(index)])];
  let end: string;
  try {
    const { stdout } = sync ? command.runSync(options) : await command.run(options);
    end = String(stdout);
  } catch (error) {
    end = described(error);
  }
  expect(end).to.equal(kind?.[0] ?? `${index}\n`);
}

interface State {
  readonly fds: string;
  readonly threads: number;
  readonly children: string;
  readonly listeners: number;
  readonly pipes: number;
}

const state = (): State => ({
  fds: openFds().join(),
  threads: readdirSync('/proc/self/task').length,
  children: readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1'),
  listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
  pipes: process.getActiveResourcesInfo().filter((name) => /Pipe|Signal/.test(name)).length,
});
const residentMiB = (): number => Math.round(process.memoryUsage.rss() / 1024 / 1024);

describe(`${runs} runs, a third failing`, function () {
  this.timeout(Math.max(120_000, runs * 500));

  for (const sync of [false, true]) {
    it(`leave as much as there was, ${sync ? 'blocking' : 'on the event loop'}`, async function () {
      const some = async (from: number, count: number): Promise<void> => {
        for (let index = from; index < from + count; index += atOnce) {
          const starts = Array.from({ length: sync ? 1 : atOnce }, (_, more) => index + more);
          for (let more = sync ? 1 : atOnce; more < atOnce; more++) await runOne(index + more, sync);
          await Promise.all(starts.map((each) => runOne(each, sync)));
        }
      };
      const settled = JSON.stringify(state());
      await some(0, 48);
      // What the first runs load stays: threads of libuv's pool, the handle of signals.
      await until(() => state().listeners === (JSON.parse(settled) as State).listeners && state().children === '');
      let before = '';
      await until(() => {
        const now = JSON.stringify(state());
        const same = now === before;
        before = now;
        return same;
      });
      const memory = [residentMiB()];
      for (let part = 0; part < 8; part++) {
        await some(48 + part * (runs / 8), runs / 8);
        memory.push(residentMiB());
      }
      await until(() => JSON.stringify(state()) === before);
      if (this.test !== undefined) this.test.title += ` (resident MiB: ${memory.join(' ')})`;
    });
  }
});
