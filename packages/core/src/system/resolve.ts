/** The search for a program, for backends that start programs on this machine. */
import { accessSync, constants, statSync } from 'node:fs';
import * as path from 'node:path';
import { planBytes } from '../bytes';
import type { LaunchPlan, PlanString } from '../contract';
import type { CommandStartError } from '../errors';
import { startError } from '../start-failure';
import { nameOfWorkingDirectory } from './place';
import { ownProperty } from '../plain';

/** Where to look. */
export interface ResolveOptions {
  /** The parent's `PATH`; `undefined`: not set. */
  readonly path: string | undefined;
  /**
   * What relative paths are relative to: the parent's working directory. It is read only if there are any. `undefined`: it has
   * no name; then relative entries of `PATH` are passed over.
   */
  readonly cwd: string | undefined;
}

// What execvp(3) of glibc looks through when PATH is not set.
const defaultPath = '/bin:/usr/bin';

const absent: NodeJS.ErrnoException = Object.assign(new Error('not found'), { code: 'ENOENT' });

/** `undefined`: can be executed, as far as one can tell; otherwise the system's error. */
function executableError(file: string | Buffer): NodeJS.ErrnoException | undefined {
  try {
    // Most directories of PATH do not have the program: that must not cost an exception.
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) return absent;
    if (!found.isFile()) return Object.assign(new Error('not a file'), { code: 'EACCES' });
    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

function notFound(shown: string, error: NodeJS.ErrnoException | undefined, where: string): CommandStartError {
  const code = error?.code ?? 'ENOENT';
  const why =
    code === 'ENOENT' ? `'${shown}' was not found in ${where}` : `'${shown}' in ${where} cannot be executed (${code})`;
  return startError('resolve', Object.assign(new Error(why), { code, errno: error?.errno }), shown);
}

function nameless(shown: string): CommandStartError {
  const why = `'${shown}' is relative to the working directory, which no path leads to (deleted, or closed to this user)`;
  return startError('resolve', Object.assign(new Error(why), { code: 'ENOENT' }), shown);
}

const join = (directory: string, name: string): string =>
  (directory.endsWith('/') ? directory : directory + '/') + name;

/** As {@link join}, for a name that is no UTF-8: it is compared byte for byte. Such names exist on file systems of POSIX only. */
const joinBytes = (directory: string, name: PlanString): PlanString => ({
  base64: Buffer.concat([Buffer.from(join(directory, '')), planBytes(name)]).toString('base64'),
});

/**
 * The path of a program: a name without slash is looked for in `path`, a relative path is made absolute, an absolute one
 * is returned as it is (whether it exists shows when it is executed).
 *
 * @throws CommandStartError, stage `resolve`: `ENOENT`, or `EACCES` if all that was found cannot be executed.
 */
export function resolveProgram(program: string, options: ResolveOptions): string;
export function resolveProgram(program: PlanString, options: ResolveOptions): PlanString;
export function resolveProgram(program: PlanString, options: ResolveOptions): PlanString {
  const windows = process.platform === 'win32';
  const isText = typeof program === 'string';
  const shown = isText ? program : planBytes(program).toString('latin1');
  const below = (directory: string, suffix = ''): PlanString =>
    isText ? join(directory, program + suffix) : joinBytes(directory, program);
  if (shown.includes('/') || (windows && (shown.includes('\\') || /^[A-Za-z]:/.test(shown)))) {
    // Not normalized: `..` behind a symbolic link leads elsewhere than its text.
    if (path.isAbsolute(shown)) return program;
    const { cwd } = options;
    if (cwd === undefined) throw nameless(shown);
    return below(cwd);
  }
  let worst: NodeJS.ErrnoException | undefined;
  const search = options.path ?? (windows ? '' : defaultPath);
  // An empty entry of PATH is the working directory (POSIX).
  const directories = windows ? ['', ...search.split(';')] : search.split(':');
  const suffixes = windows && !/\.(exe|com)$/i.test(shown) ? ['.exe', '.com'] : [''];
  for (const directory of directories.flatMap((entry) => absolute(entry, options))) {
    for (const suffix of suffixes) {
      const candidate = below(directory, suffix);
      const error = executableError(typeof candidate === 'string' ? candidate : planBytes(candidate));
      if (error === undefined) return candidate;
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') worst ??= error;
    }
  }
  throw notFound(shown, worst, search === '' ? 'an empty PATH' : `PATH (${search})`);
}

/** An entry of `PATH`, or none. */
function absolute(entry: string, options: ResolveOptions): string[] {
  if (path.isAbsolute(entry)) return [entry];
  const { cwd } = options;
  return cwd === undefined ? [] : [join(cwd, entry)];
}

/**
 * {@link resolveProgram} for a plan, with this process's `PATH` and working directory. Where no path leads to that, the
 * program itself finds it, if it begins there.
 *
 * @throws CommandStartError, stage `resolve`
 */
export function resolveProgramOf(plan: Pick<LaunchPlan, 'program' | 'cwd' | 'daemon'>): PlanString {
  const { program, cwd, daemon } = plan;
  // A daemon begins in the root.
  const beginsHere = cwd === undefined && !daemon && process.platform === 'linux';
  // Not what a polluted prototype holds.
  const directories = ownProperty(process.env, 'PATH');
  return resolveProgram(program, {
    path: typeof directories === 'string' ? directories : undefined,
    get cwd() {
      return nameOfWorkingDirectory() ?? (beginsHere ? '/proc/self/cwd' : undefined);
    },
  });
}
