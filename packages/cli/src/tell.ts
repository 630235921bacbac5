/** What went wrong, on stderr, with the subcommand in front; its exit status. No terminal acts on what it quotes. */
import { printable } from '@vircommand/core/backend';
import { failureOf } from './failure';
import type { Subcommand, Surroundings } from './subcommand';

/** @throws what is a bug. See {@link failureOf}. */
export function tell(error: unknown, subcommand: Subcommand | undefined, { stderr }: Surroundings): number {
  const { message, status } = failureOf(error, subcommand?.flags ?? []);
  const where = subcommand === undefined ? 'vircommand' : `vircommand ${subcommand.name}`;
  stderr.write(`${where}: ${printable(message)}\n`);
  return status;
}
