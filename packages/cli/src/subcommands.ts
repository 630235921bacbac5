/** All subcommands, in the order of the help. */
import { subcommand as completion } from './completion';
import { subcommand as doctor } from './doctor';
import { status, stop } from './pid-files';
import { record, replay } from './recordings';
import { subcommand as run } from './run';
import type { Subcommand } from './subcommand';

export const subcommands: readonly Subcommand[] = [run, record, replay, doctor, stop, status, completion];
