import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { Command } from '@vircommand/core';

interface Case {
  readonly args: readonly (string | Uint8Array)[];
  readonly env: readonly (readonly [string, string | Uint8Array])[];
}

/** What is worth trying: all bytes but NUL, text, and what shells give a meaning. */
const bytes = fc.uint8Array({ min: 1, max: 255, maxLength: 12 });
const text = fc
  .string({ unit: 'binary', maxLength: 12 })
  .filter((value) => !value.includes('\0') && value.isWellFormed());
const meaningful = fc.constantFrom(
  '',
  '-',
  '--',
  '-n',
  '~',
  '~root',
  '$HOME',
  '`id`',
  '$(id)',
  "'",
  "''",
  '"',
  '\\',
  '\\n',
  '\n',
  ' ',
  '\t',
  '*',
  '?',
  '[a]',
  '{a,b}',
  '#',
  '!',
  '!!',
  '&',
  ';',
  '|',
  '>',
  '<',
  '(',
  ')',
  '=',
  'a=b',
  '\x01',
  '\x7f',
  '\r\n',
  'é',
  '漢字',
  '😀',
  '\u00a0',
  '\u2028',
  '%s',
  '%%',
);
const word = fc.oneof(bytes, text, meaningful);
const name = fc.oneof(
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/),
  fc.constantFrom(
    'A-B',
    'a.b',
    '1x',
    'é',
    'UID',
    'PPID',
    'OPTIND',
    'RANDOM',
    'BASH_ENV_X',
    'PS4',
    'IFS',
    'LC_ALL',
    '__proto__',
    'a b',
    "it's",
  ),
);
/** Shells and the kernel of `env` set these themselves; `PATH` decides where `env` is found. */
const ownedByOthers = new Set(['PWD', 'OLDPWD', 'SHLVL', '_', 'PATH', 'LD_PRELOAD', 'LD_LIBRARY_PATH']);
const anyCase: fc.Arbitrary<Case> = fc.record({
  args: fc.array(word, { maxLength: 5 }),
  env: fc.array(
    fc.tuple(
      name.filter((value) => !ownedByOthers.has(value)),
      word,
    ),
    { maxLength: 3 },
  ),
});

const marker = 'd1f6a8e2-end-of-case';
const buffer = (value: string | Uint8Array): Buffer => Buffer.from(value as string);

function commandOf({ args, env }: Case): Command {
  // cat shows its own argv and environment as the kernel has them; the arguments are files that do not exist.
  const command = new Command('/bin/cat', ['--', '/proc/self/cmdline', '/proc/self/environ', ...args]);
  for (const [key, value] of env) command.addEnvPair(key, value);
  return command;
}

/** Gives a batch of commands to a shell; what each program saw. */
function seenBy(shell: string, cases: readonly Case[], directory: string): Buffer[] {
  const script = cases.map((one) => `${commandOf(one).toString()} 2>/dev/null\nprintf %s ${marker}\n`).join('');
  const file = path.join(directory, 'script');
  writeFileSync(file, script);
  const { stdout, stderr } = spawnSync(shell, [file], {
    cwd: directory,
    env: { PATH: '/usr/bin:/bin' },
    maxBuffer: 1 << 30,
  });
  expect(stderr.toString()).to.equal('');
  const seen: Buffer[] = [];
  for (let at = 0; ;) {
    const end = stdout.indexOf(marker, at);
    if (end < 0) return seen;
    seen.push(stdout.subarray(at, end));
    at = end + marker.length;
  }
}

function check(one: Case, seen: Buffer): void {
  const words = ['/bin/cat', '--', '/proc/self/cmdline', '/proc/self/environ', ...one.args];
  const argv = Buffer.concat(words.flatMap((value) => [buffer(value), Buffer.from([0])]));
  expect(seen.subarray(0, argv.length).toString('latin1')).to.equal(argv.toString('latin1'));
  const entries = new Map<string, string>();
  for (const entry of seen.subarray(argv.length).toString('latin1').split('\0')) {
    const at = entry.indexOf('=');
    if (at > 0) entries.set(entry.slice(0, at), entry.slice(at + 1));
  }
  const wanted = new Map(
    one.env.map(([key, value]) => [buffer(key).toString('latin1'), buffer(value).toString('latin1')]),
  );
  for (const [key, value] of wanted) expect(entries.get(key), key).to.equal(value);
  for (const key of entries.keys()) expect(wanted.has(key) || ownedByOthers.has(key), `extra ${key}`).to.equal(true);
}

describe('the text of a command, given to a shell', function () {
  this.timeout(120_000);
  let directory: string;
  before(function () {
    if (process.platform !== 'linux') this.skip();
    directory = mkdtempSync(path.join(tmpdir(), 'shell-text-'));
  });
  after(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  // A process for each case is most of the time. What is built has the same quoting: a part of the cases shows that.
  const count = Number(process.env.VIRCOMMAND_SHELL_TEXT_CASES ?? (process.env.SUBJECT === 'dist' ? 500 : 3_000));
  for (const shell of ['/bin/sh', '/bin/bash']) {
    it(`is read back to the same argv and environment by ${shell}, ${count} times`, () => {
      const batch = 500;
      fc.assert(
        fc.property(fc.array(anyCase, { minLength: batch, maxLength: batch }), (cases) => {
          const seen = seenBy(shell, cases, directory);
          expect(seen).to.have.length(cases.length);
          cases.forEach((one, index) => {
            check(one, seen[index] ?? Buffer.alloc(0));
          });
        }),
        { numRuns: count / batch, endOnFailure: true },
      );
    });
  }
});
