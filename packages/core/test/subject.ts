/** Modules that are no entry point, out of what is under test: the sources, or what is built. */
import * as path from 'node:path';

const directory = path.dirname(require.resolve('@vircommand/core'));

/** A module of the subject by its file name. */
export function internal(name: string): unknown {
  return require(path.join(directory, name));
}

/** Another copy of the whole library, as two versions of a dependency would have it. */
export function secondCopy(): typeof import('@vircommand/core') {
  const ours = Object.keys(require.cache).filter((file) => path.dirname(file) === directory);
  const kept = ours.map((file) => [file, require.cache[file]] as const);
  for (const file of ours) Reflect.deleteProperty(require.cache, file);
  try {
    return require('@vircommand/core') as typeof import('@vircommand/core');
  } finally {
    for (const file of Object.keys(require.cache)) {
      if (path.dirname(file) === directory) Reflect.deleteProperty(require.cache, file);
    }
    for (const [file, module] of kept) require.cache[file] = module;
  }
}
