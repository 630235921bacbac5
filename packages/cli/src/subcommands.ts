/** All subcommands, in the order of the help. */
import { subcommand as completion } from './completion';
import { subcommand as run } from './run';
import type { Subcommand } from './subcommand';

export const subcommands: readonly Subcommand[] = [run, completion];
