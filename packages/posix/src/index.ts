/** The backend over libc: `Command` bound to it, and core's public names. */
import type { Command as CoreCommand, Sink, Source } from '@vircommand/core';
import { bindCommand } from '@vircommand/core/backend';
import { backend } from './backend';

export * from '@vircommand/core';
/** The type of a command for the declarations of libraries, which cannot name it by the alias `Command` of this package. */
export type { Command as CommandInstance } from '@vircommand/core';
export type Command<Out extends Sink = Sink, Err extends Sink = Sink, In extends Source = Source> = CoreCommand<
  Out,
  Err,
  In
>;
/** Commands that libc's `posix_spawn` starts. */
export const Command = bindCommand(() => backend);
export { backend, createPosixBackend, whyNot, type PosixBackend, type PosixOptions } from './backend';
export type { DriverName } from './ffi';
