/** The command line of `vircommand-conformance`. */
import { parseArgs } from 'node:util';

export const usage = `Usage: vircommand-conformance [options] MODULE

Runs the conformance suite on a backend, and prints what is known of each of its features.

MODULE is a file or a package, ES module or CommonJS. It exports, by this name or as default:
  subject        { name, create, knownFailures }   for all that can be told to the suite
  createBackend  a function that makes a backend   for one backend a case
  backend        a backend                         for one that serves all cases

Options:
  --only REGEX  run (or list) only the cases whose id matches
  --list        list the cases, and run none; needs no MODULE
  --json        print the report (or the list) as JSON
  --help        print this

Exit status: 0 if all that is declared holds, 1 if something does not, 2 if the suite could not run to its end.
`;

/** The command line was wrong, or the module is none that can be tested: nothing was run. */
export class CannotRun extends Error {}

export interface Arguments {
  readonly module: string | undefined;
  readonly only: RegExp | undefined;
  readonly list: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

function regex(source: string | undefined): RegExp | undefined {
  if (source === undefined) return undefined;
  try {
    return new RegExp(source);
  } catch (error) {
    throw new CannotRun(`--only ${source}: ${(error as Error).message}`);
  }
}

/** @throws CannotRun */
export function readArguments(argv: readonly string[]): Arguments {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        only: { type: 'string' },
        list: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new CannotRun((error as Error).message);
  }
  const { values, positionals } = parsed;
  const [module, ...more] = positionals;
  if (more.length > 0) throw new CannotRun(`one module at a time, not also ${more.join(' ')}`);
  const { list, json, help } = values;
  if (module === undefined && !list && !help) throw new CannotRun('which backend? Name its module');
  return { module, only: regex(values.only), list, json, help };
}
