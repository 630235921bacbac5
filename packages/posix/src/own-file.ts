/** Where this package is: what it loads and starts lies beside it, or beside the bundle that it is in. */
import { fileURLToPath } from 'node:url';

/** The path of the file that this is in. @throws Error where it is in none. */
export function ownFile(): string {
  // A bundle of ES modules has no such name, and what it has instead is a syntax that CommonJS does not know.
  const file = typeof __filename === 'undefined' ? urlOnStack() : __filename;
  if (file.startsWith('file:')) return fileURLToPath(file);
  if (file !== '') return file;
  throw new Error('a bundler must define __filename, or leave @vircommand/posix out (external)');
}

function urlOnStack(): string {
  const before = {
    prepareStackTrace: Reflect.get(Error, 'prepareStackTrace') as unknown,
    stackTraceLimit: Error.stackTraceLimit,
  };
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_, [here]) => here?.getFileName() ?? '';
    return new Error().stack ?? '';
  } finally {
    Object.assign(Error, before);
  }
}
