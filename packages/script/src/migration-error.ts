/** What others offer and this does not: refused with a name for what to use here. */
import { CommandUsageError } from '@vircommand/core';

/**
 * Something that `child_process`, execa, zx or a shell has, and that has another form here. Nothing was started. `reject:
 * false` does not change that: it is a mistake in the program.
 *
 * @example
 * ```ts
 * $`ls | wc`; // MigrationError: $: the template has a pipe, which needs a shell; instead: ...
 * ```
 */
export class MigrationError extends CommandUsageError {
  static {
    Object.defineProperty(this.prototype, 'name', { value: 'MigrationError', configurable: true, writable: true });
  }
  /** What was asked for, as it was written. */
  readonly asked: string;
  /** What to use here. */
  readonly alternative: string;

  constructor(call: string, asked: string, why: string, alternative: string) {
    super(call, `${asked} ${why}; instead: ${alternative}`, { command: '' });
    this.asked = asked;
    this.alternative = alternative;
  }
}
