/** Modules that are no entry point, out of what is under test: the sources, or what is built. */
import { createRequire } from 'node:module';
import * as path from 'node:path';

const load = createRequire(__filename);

const directory = path.dirname(load.resolve('@vircommand/core'));
/** What is built is published in one file; its modules lie beside it. */
const modules = path.basename(directory) === 'dist' ? path.join(directory, 'modules') : directory;

/** A module of the subject by its file name. */
export function internal(name: string): unknown {
  return load(path.join(modules, name));
}

/** Another copy of the whole library, as two versions of a dependency would have it. */
export function secondCopy(): typeof import('@vircommand/core') {
  const ours = Object.keys(load.cache).filter((file) => path.dirname(file) === directory);
  const kept = ours.map((file) => [file, load.cache[file]] as const);
  for (const file of ours) Reflect.deleteProperty(load.cache, file);
  try {
    return load('@vircommand/core') as typeof import('@vircommand/core');
  } finally {
    for (const file of Object.keys(load.cache)) {
      if (path.dirname(file) === directory) Reflect.deleteProperty(load.cache, file);
    }
    for (const [file, module] of kept) load.cache[file] = module;
  }
}
