/**
 * Many starts with any attributes, plain ones between them: each program has what was asked for, and this process stays as it
 * was, for a watcher inside and for another user outside.
 */
import { bindCommand } from '@vircommand/core/backend';
import type { Command } from '@vircommand/core';
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createPosixBackend, type DriverName } from '../src';
import { parse, read } from './become';
import { usableDrivers } from './drivers';
import { openFds } from './plans';
import { nothingNew, until } from './started';

/** 20,000 and more for a long look. */
const starts = Number(process.env.VIRCOMMAND_THREAD_STARTS ?? 600);
const atOnce = 12;
const own = read('self');
const title = { files: 'Max open files', core: 'Max core file size', cpu: 'Max cpu time' } as const;

/** Always the same ones, in a random order. */
class Dice {
  constructor(private seed: number) {}

  below(end: number): number {
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.seed / 2 ** 32) * end);
  }

  get sometimes(): boolean {
    return this.below(2) === 0;
  }
}

interface Asked {
  readonly umask: number | undefined;
  readonly nice: number | undefined;
  readonly processor: number | undefined;
  readonly noNewPrivs: boolean;
  readonly files: number | undefined;
  readonly core: number | undefined;
  readonly cpu: number | undefined;
  /** By the launcher. */
  readonly user: number | undefined;
}

function ask(dice: Dice, privileged: boolean): Asked {
  const plain = dice.below(3) === 0;
  const some = (end: number): number | undefined => (plain || dice.sometimes ? undefined : dice.below(end));
  const files = some(2000);
  return {
    umask: some(0o1000),
    nice: some(20),
    processor: some(2),
    noNewPrivs: !plain && dice.sometimes,
    files: files === undefined ? undefined : files + 10,
    core: some(1000),
    cpu: some(10) === undefined ? undefined : 1000,
    user: privileged && dice.below(20) === 0 ? 31_234 : undefined,
  };
}

function describeTo(command: Command, what: Asked): Command {
  if (what.umask !== undefined) command.setUmask(what.umask);
  if (what.nice !== undefined) command.setNice(Math.max(what.nice, own.nice));
  if (what.processor !== undefined) command.setAffinity([what.processor]);
  if (what.noNewPrivs) command.setNoNewPrivs();
  if (what.files !== undefined) command.setMaxFiles(what.files);
  if (what.core !== undefined) command.setMaxCoreSize(what.core);
  if (what.cpu !== undefined) command.setLimit('cpu', what.cpu);
  if (what.user !== undefined) command.setUid(what.user).setGid(what.user).clearCaps();
  return command;
}

async function check(command: Command, what: Asked): Promise<void> {
  const { stdout } = await describeTo(command, what).setOutputBuffer().run();
  const [status = '', rest = ''] = stdout.split(/^(?=Limit )/m);
  const [limits = '', stat = ''] = rest.split(/^(?=\d+ \()/m);
  const seen = parse({ status, limits, stat });
  const four = (id: string | number): string => Array.from({ length: 4 }, () => id).join(' ');
  const umask = what.umask?.toString(8).padStart(4, '0');
  expect({
    umask: seen.status('Umask'),
    nice: seen.nice,
    processors: seen.status('Cpus_allowed_list'),
    noNewPrivs: seen.status('NoNewPrivs'),
    uid: seen.status('Uid'),
    ...Object.fromEntries(Object.entries(title).map(([name, text]) => [name, seen.limit(text)])),
  }).to.deep.equal({
    umask: umask ?? own.status('Umask'),
    nice: what.nice === undefined ? own.nice : Math.max(what.nice, own.nice),
    processors: what.processor === undefined ? own.status('Cpus_allowed_list') : String(what.processor),
    noNewPrivs: what.noNewPrivs ? '1' : own.status('NoNewPrivs'),
    uid: what.user === undefined ? own.status('Uid') : four(what.user),
    ...Object.fromEntries(
      (Object.keys(title) as (keyof typeof title)[]).map((name) => {
        const asked = what[name];
        return [name, asked === undefined ? own.limit(title[name]) : `${asked} ${asked}`];
      }),
    ),
  });
}

interface Watched {
  readonly looks: number;
  readonly different: readonly string[];
}

/** Until the returned function is called. */
async function watch(): Promise<() => Promise<Watched>> {
  const file = JSON.stringify(require.resolve('./programs/watcher'));
  const worker = new Worker(`require('ts-node').register({ transpileOnly: true }); require(${file});`, { eval: true });
  await once(worker, 'message');
  return async () => {
    worker.postMessage('stop');
    const [seen] = (await once(worker, 'message')) as [Watched];
    await worker.terminate();
    return seen;
  };
}

/** Another user, until the returned function is called. */
async function attack(): Promise<() => Promise<{ readonly tries: number; readonly reached: readonly number[] }>> {
  const node = [process.execPath, '-r', 'ts-node/register/transpile-only', join(__dirname, 'programs', 'attacker.ts')];
  const user = ['--reuid', '31234', '--regid', '31234', '--clear-groups'];
  const attacker = spawn('setpriv', [...user, ...node, String(process.pid)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  attacker.stdout.on('data', (chunk) => (text += String(chunk)));
  await until(() => text.startsWith('ready'));
  return async () => {
    attacker.stdin.end();
    await once(attacker, 'close');
    return JSON.parse(text.slice('ready\n'.length)) as { tries: number; reached: number[] };
  };
}

const processors = /^0[-,]/.test(own.status('Cpus_allowed_list'));

for (const driver of usableDrivers.filter((name) => name !== 'ffi-napi')) {
  describe(`${starts} starts with any attributes, with the driver ${driver}`, function () {
    this.timeout(60_000 + starts * 100);
    before(function () {
      if (!processors) this.skip();
    });

    const run = async (
      dice: Dice,
      Bound: ReturnType<typeof boundTo>,
      count: number,
      privileged: boolean,
    ): Promise<void> => {
      let left = count;
      const lane = async (): Promise<void> => {
        while (left-- > 0) {
          const command = new Bound('/bin/cat', ['/proc/self/status', '/proc/self/limits', '/proc/self/stat']);
          await check(command, ask(dice, privileged));
        }
      };
      await Promise.all(Array.from({ length: atOnce }, lane));
    };
    const boundTo = (name: DriverName) => bindCommand(createPosixBackend({ driver: name }));

    it('are exactly what was asked for, and change nothing here', async function () {
      const Bound = boundTo(driver);
      const privileged = process.getuid?.() === 0;
      await run(new Dice(1), Bound, 200, privileged);
      const threads = (): number => readdirSync('/proc/self/task').length;
      const before = { descriptors: openFds(), threads: threads() };
      const memory = process.memoryUsage.rss();
      const stopWatching = await watch();
      await run(new Dice(2), Bound, starts, privileged);
      const { looks, different } = await stopWatching();
      expect(different).to.deep.equal([]);
      expect(looks).to.be.above(10);
      // Something of other tests may have ended meanwhile.
      await until(() => nothingNew(openFds(), before.descriptors) && threads() <= before.threads);
      const grown = Math.round((process.memoryUsage.rss() - memory) / 2 ** 20);
      if (this.test !== undefined) this.test.title += ` (${looks} looks, ${grown} MiB more)`;
    });

    it('are nothing that another user could use', async function () {
      if (process.getuid?.() !== 0) this.skip();
      const Bound = boundTo(driver);
      const stopAttacking = await attack();
      await run(new Dice(3), Bound, starts, true);
      const { tries, reached } = await stopAttacking();
      expect(reached).to.deep.equal([]);
      expect(tries).to.be.above(starts);
      if (this.test !== undefined) this.test.title += ` (${tries} tries)`;
    });
  });
}
