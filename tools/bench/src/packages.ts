/** Installed packages, as files: versions, sizes. */
import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import * as path from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
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

export function versionOf(name: string): string | undefined {
  try {
    return manifestOf(directoryOf(name)).version;
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

/** What npm installs of a package. A package of this repository has more files than it publishes. */
export function publishedFiles(directory: string): string[] {
  const installed = directory.includes(`${path.sep}node_modules${path.sep}`);
  const { files = [] } = manifestOf(directory);
  const left = new Set(files.flatMap((entry) => (entry.startsWith('!') ? [path.join(directory, entry.slice(1))] : [])));
  const published = installed
    ? [directory]
    : [...files.filter((entry) => !entry.startsWith('!')), 'package.json', 'README.md', 'LICENSE'].map((entry) =>
        path.join(directory, entry),
      );
  return published.flatMap((entry) => filesBelow(entry)).filter((file) => !left.has(file));
}

function filesBelow(entry: string): string[] {
  if (!existsSync(entry)) return [];
  if (!statSync(entry).isDirectory()) return [entry];
  return readdirSync(entry).flatMap((name) => (name === 'node_modules' ? [] : filesBelow(path.join(entry, name))));
}
