/** All of vircommand: `Command` on the best backend that works here; the packages are subpaths. */
import type { Command as CoreCommand, Sink, Source } from '@vircommand/core';
import { bindCommand } from '@vircommand/core/backend';
import { chooseBackend, whyNotBetter } from './choose';

export * from '@vircommand/core';
/** The type of a command for the declarations of libraries, which cannot name it by the alias `Command` of this package. */
export type { Command as CommandInstance } from '@vircommand/core';
export type Command<Out extends Sink = Sink, Err extends Sink = Sink, In extends Source = Source> = CoreCommand<
  Out,
  Err,
  In
>;
/** Bound to the best backend that works here, chosen at the first run. */
export const Command = bindCommand(chooseBackend, whyNotBetter);
export { chooseBackend };
