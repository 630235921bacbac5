/** The command as somebody who installed it has it: what is built or, where the sources are tested, what would be. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { Command } from '@vircommand/child-process';

const home = path.join(__dirname, '..');

function bundle(): string {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'vircommand-cli-')));
  // Readable for the ordinary users that tests run it as.
  chmodSync(directory, 0o755);
  process.once('exit', () => {
    rmSync(directory, { recursive: true, force: true });
  });
  mkdirSync(path.join(directory, 'bin'));
  for (const file of ['package.json', path.join('bin', 'vircommand.js')]) {
    cpSync(path.join(home, file), path.join(directory, file));
  }
  symlinkSync(path.join(home, 'node_modules'), path.join(directory, 'node_modules'));
  new Command(process.execPath, [path.join(home, 'bundle.cjs'), path.join(directory, 'dist')]).runSync();
  // As package managers do it.
  symlinkSync(path.join('vircommand.js'), path.join(directory, 'bin', 'vircommand'));
  return directory;
}

let installed: string | undefined;

/** The file that is the command. */
export function bin(): string {
  installed ??= process.env.SUBJECT === 'dist' ? home : bundle();
  return path.join(installed, 'bin', 'vircommand.js');
}

/** What tests set up for the programs that they run, and nothing of the runner's own. */
export const environment = (extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(NODE_|TS_NODE_|MOCHA|SUBJECT|VIRCOMMAND_|CI$|FORCE_COLOR)/.test(name),
    ),
  ),
  ...extra,
});

export interface Run {
  readonly status: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Runs any program to its end, whatever that is. */
export async function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  { input = '', env, cwd }: RunOptions = {},
): Promise<Run> {
  const command = new Command(program, args, { stdin: { input }, stdout: 'text', stderr: 'text', cwd });
  command.clearEnv();
  for (const [name, value] of Object.entries(environment(env)))
    if (value !== undefined) command.addEnvPair(name, value);
  const { exitCode, signal, stdout, stderr } = await command.rawStatus().run({ timeout: 50_000 });
  return { status: exitCode, signal, stdout, stderr };
}

/** Runs the command. */
export const vircommand = (args: readonly string[], options?: RunOptions): Promise<Run> =>
  runProgram([process.execPath, bin(), ...args], options);

/** For a line of shell, in which `vircommand` is the command. */
export const shell = (script: string, options: RunOptions = {}): Promise<Run> =>
  runProgram(['bash', '-c', `vircommand() { "$NODE" "$BIN" "$@"; }\n${script}`], {
    ...options,
    env: { NODE: process.execPath, BIN: bin(), ...options.env },
  });

/** A new directory that everybody may use, removed at the end of the process. */
export function scratch(): string {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'vircommand-test-')));
  chmodSync(directory, 0o777);
  process.once('exit', () => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** Waits for a condition, less than a test has, so that it is the test which fails, and nothing goes on after it. */
export async function until<T>(condition: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  const end = performance.now() + 50_000;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`it never came: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const isRoot = process.geteuid?.() === 0;
