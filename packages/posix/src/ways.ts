/** The choice of the way to start: the cheapest that can do all that a plan asks for. */
import { debuglog } from 'node:util';
import { startError, type LaunchPlan } from '@vircommand/core/backend';
import { WAYS, waysOf, type Way } from './features';

const log = debuglog('vircommand');

/** The way that `VIRCOMMAND_WAY` forces, for tests; `undefined`: none. Throws if it names none. */
export function forcedWay(): Way | undefined {
  const { VIRCOMMAND_WAY: name = '' } = process.env;
  if (name === '') return undefined;
  const way = WAYS.find((candidate) => candidate === name);
  if (way === undefined) {
    throw new Error(`VIRCOMMAND_WAY names no way to start: '${name}'; there are ${WAYS.join(', ')}`);
  }
  return way;
}

/**
 * @param forced nothing else may be chosen
 * @throws CommandStartError, stage `backend`
 */
export function wayFor({ requires, text }: Pick<LaunchPlan, 'requires' | 'text'>, forced: Way | undefined): Way {
  const [cheapest] = WAYS;
  if (requires.length === 0) return forced ?? cheapest;
  const candidates = forced === undefined ? WAYS : [forced];
  const way = candidates.find((candidate) => requires.every((feature) => waysOf(feature).includes(candidate)));
  if (way === undefined) {
    throw startError('backend', `${candidates.join(', ')}: no way to start can do all of this: ${requires.join(', ')}`);
  }
  if (way !== cheapest) {
    const because = requires.filter((feature) => !waysOf(feature).includes(cheapest));
    log('%s: by the way %s, for %s', text, way, forced === undefined ? because.join(', ') : 'VIRCOMMAND_WAY says so');
  }
  return way;
}
