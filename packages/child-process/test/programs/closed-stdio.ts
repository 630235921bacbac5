/** Starts with the named descriptors of this process closed; `report` is the file for what was seen. */
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { Command } from '@vircommand/child-process';
import type { CommandStartError } from '@vircommand/core';
import { failure, thrown, turns } from '../plans';

const [path = '', ...closed] = process.argv.slice(2);
const report = openSync(path, 'w');

const open = (): number[] =>
  [0, 1, 2].filter((fd) => {
    try {
      return fstatSync(fd).ino > 0;
    } catch {
      return false;
    }
  });
const say = (error: unknown): string => `${(error as CommandStartError).stage} ${(error as CommandStartError).code}`;

const script = 'cat; echo err >&2; for fd in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$fd ] && echo leaked $fd >&2; done; :';
const captured = () => new Command('sh', ['-c', script], { stdin: { input: 'in' }, stdout: 'text', stderr: 'text' });
const merged = () => new Command('sh', ['-c', script], { stdin: { input: 'in' }, stdout: 'text', stderr: 'stdout' });
const silent = () => new Command('sh', ['-c', 'exit 7'], { stderr: 'null' });
const kept = { check: false } as const;

async function main(): Promise<void> {
  for (const fd of closed) closeSync(Number(fd));
  const gone = () => new Command('true', [], { passFds: [{ fd: Number(closed[0]), as: 3 }] });
  const [first, second] = await Promise.all([merged().run(kept), merged().run(kept)]);
  const seen = {
    merged: [first.stdout, second.stdout],
    silent: [silent().runSync(kept).exitCode, (await silent().run(kept)).exitCode],
    captured: [captured().runSync(kept), await captured().run(kept)].map(({ stdout, stderr }) => stdout + stderr),
    mergedSync: merged().runSync(kept).stdout,
    missing: [thrown(() => new Command('/no/such').runSync()), await failure(new Command('/no/such').run())].map(say),
    passed: [thrown(() => gone().runSync()), await failure(gone().run())].map(say),
  };
  await turns();
  writeSync(report, JSON.stringify({ ...seen, open: open() }));
}

void main();
