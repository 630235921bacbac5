/** Installed packages, as files: versions, sizes. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import * as path from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
}

/** Where a package that `from` depends on is installed. @throws Error if it is not. */
export function directoryOf(name: string, from = __dirname): string {
  for (let at = from; ; at = path.dirname(at)) {
    const candidate = path.join(at, 'node_modules', name);
    if (existsSync(path.join(candidate, 'package.json'))) return realpathSync(candidate);
    if (at === path.dirname(at)) throw new Error(`${name} is not installed`);
  }
}

export const manifestOf = (directory: string): Manifest =>
  JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as Manifest;

export function versionOf(name: string, from = __dirname): string | undefined {
  try {
    return manifestOf(directoryOf(name, from)).version;
  } catch {
    return undefined;
  }
}

/** A package and everything that it brings with it, each once. */
export function withDependencies(name: string): string[] {
  const found = new Set<string>();
  const visit = (directory: string): void => {
    if (found.has(directory)) return;
    found.add(directory);
    for (const dependency of Object.keys(manifestOf(directory).dependencies ?? {})) {
      visit(directoryOf(dependency, directory));
    }
  };
  visit(directoryOf(name));
  return [...found];
}

const counted = new Map<string, number>();

/** What npm installs of a package, in bytes: of one of this repository, what it would publish. */
export function installedBytes(directory: string): number {
  const known = counted.get(directory);
  if (known !== undefined) return known;
  const bytes = count(directory);
  counted.set(directory, bytes);
  return bytes;
}

function count(directory: string): number {
  if (directory.includes(`${path.sep}node_modules${path.sep}`)) return bytesBelow(directory);
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: directory, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm pack in ${directory}: ${stderr}`);
  const [{ unpackedSize }] = JSON.parse(stdout) as [{ readonly unpackedSize: number }];
  return unpackedSize;
}

function bytesBelow(entry: string): number {
  if (!statSync(entry).isDirectory()) return statSync(entry).size;
  const names = readdirSync(entry).filter((name) => name !== 'node_modules');
  return names.reduce((sum, name) => sum + bytesBelow(path.join(entry, name)), 0);
}
