/** Binding: a constructor of commands for one backend. */
import { BoundCommand, brand, type Binding, type WhyNotBetter } from './bound-command';
import { checkBackend } from './check-backend';
import type { Command, CommandConstructor } from './command';
import type { Backend } from './contract';
import { hide } from './plain';

/**
 * Makes the `Command` of a backend package. If `backend` is a function, it is called at the first run, so that importing the
 * package never fails.
 *
 * @example
 * ```ts
 * export const Command = bindCommand(() => createSshBackend());
 * ```
 *
 * @param whyNotBetter if the function chooses among backends: why it did not choose a better one, for the error of a command
 *   that needs the better one
 */
export function bindCommand(
  backend: Backend | (() => Backend),
  whyNotBetter?: (chosen: Backend) => string | undefined,
): CommandConstructor {
  if (typeof backend !== 'function') checkBackend(backend, 'bindCommand()');
  return makeConstructor(backend, whyNotBetter);
}

/** The constructor of commands for a backend, or for none. */
export function makeConstructor(binding: Binding, whyNotBetter?: WhyNotBetter): CommandConstructor {
  let resolved: Backend | undefined = typeof binding === 'function' ? undefined : binding;
  const resolve = typeof binding === 'function' ? (): Backend => (resolved ??= binding()) : binding;
  class CommandOfBackend extends BoundCommand {
    constructor(program: unknown, args?: unknown, options?: unknown) {
      super(resolve, whyNotBetter, CommandOfBackend as unknown as () => unknown, program, args, options);
    }
    static get backend(): Backend | undefined {
      return typeof resolve === 'function' ? resolve() : resolve;
    }
    static override [Symbol.hasInstance](value: unknown): value is Command {
      return typeof value === 'object' && value !== null && Reflect.get(value, brand) === true;
    }
  }
  hide(CommandOfBackend, 'name', 'Command');
  // The setters' return types follow the streams; a class can say `this` only, so this is the one place that says more.
  return CommandOfBackend as unknown as CommandConstructor;
}
