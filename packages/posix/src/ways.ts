/** The choice of the way to start: the cheapest that can do all that a plan asks for. */
import { logLine, startError, type LaunchPlan } from '@vircommand/core/backend';
import { WAYS, waysOf, waysWith, type Way } from './features';
import type { Libc } from './libc';
import { ownVariable } from './own-variable';

/** The way that `VIRCOMMAND_WAY` forces, for tests; `undefined`: none. Throws if it names none. */
export function forcedWay(): Way | undefined {
  const name = ownVariable('VIRCOMMAND_WAY') ?? '';
  if (name === '') return undefined;
  const way = WAYS.find((candidate) => candidate === name);
  if (way === undefined) {
    throw new Error(`VIRCOMMAND_WAY names no way to start: '${name}'; there are ${WAYS.join(', ')}`);
  }
  return way;
}

/**
 * The ways that may be chosen with this libc.
 *
 * @param forced nothing else
 */
export function possibleWays(libc: Libc, forced: Way | undefined): readonly Way[] {
  const ways = waysWith(libc);
  if (forced === undefined) return ways;
  if (ways.includes(forced)) return [forced];
  throw new Error(`VIRCOMMAND_WAY says ${forced}, which the FFI driver ${libc.driver.name} cannot do`);
}

type Asking = Pick<LaunchPlan, 'requires' | 'text'>;

/** Whether a way has all that a plan asks for. */
export const canDo = (way: Way, { requires }: Pick<Asking, 'requires'>): boolean =>
  requires.every((feature) => waysOf(feature).includes(way));

/**
 * @param ways those that may be chosen, the cheapest first
 * @throws CommandStartError, stage `backend`
 */
export function wayFor<Possible extends Way>(plan: Asking, ways: readonly Possible[]): Possible {
  const { requires, text } = plan;
  const [cheapest] = ways;
  if (cheapest !== undefined && requires.length === 0) return cheapest;
  const way = ways.find((candidate) => canDo(candidate, plan));
  if (cheapest === undefined) {
    throw startError('backend', 'this start needs the calling thread, and VIRCOMMAND_WAY allows a spawner thread only');
  }
  if (way === undefined) {
    throw startError('backend', `${ways.join(', ')}: no way to start can do all of this: ${requires.join(', ')}`);
  }
  if (way !== cheapest) {
    const because = requires.filter((feature) => !waysOf(feature).includes(cheapest));
    logLine('%s: by the way %s, for %s', text, way, because.join(', '));
  }
  return way;
}
