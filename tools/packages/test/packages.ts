/** What is published: the packages of the workspace that are not private. */
import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';

export const root = path.resolve(__dirname, '..', '..', '..');

/** The parts of a package.json that matter here. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly [field: string]: unknown;
}

export const readManifest = (directory: string): Manifest =>
  JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as Manifest;

/** A package, and where it is, relative to the root. */
export interface Package {
  readonly directory: string;
  readonly manifest: Manifest;
}

export const packages: readonly Package[] = readdirSync(path.join(root, 'packages'))
  .map((name) => path.posix.join('packages', name))
  .map((directory) => ({ directory, manifest: readManifest(path.join(root, directory)) }))
  .filter(({ manifest }) => manifest.private !== true);
