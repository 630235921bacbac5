/** Calls that a recording cannot tell apart, though not the same came of them: a replay would mix up their answers. */
import type { LaunchPlan, PlanString } from '@vircommand/core/backend';
import { titleOf } from './recorded-call';
import type { TapeEntry } from './tape';
import { streamOf } from './tape-event';

/** One call, and what a recording has of it. */
interface Recorded {
  readonly plan: LaunchPlan;
  readonly entry: TapeEntry;
}

/** Values that are not stored, but for those of `secret()`: of these nobody wants anything stored. */
function hidden({ plan, entry }: Recorded): readonly (readonly [name: string, value: PlanString])[] {
  const { env, secret } = plan;
  if (env === 'inherit') return [];
  return env.filter(([name]) => entry.call.env?.[name] === null && !secret.env.includes(name));
}

/** What a replay compares. */
const keyOf = ({ call, sent, events }: TapeEntry): string => {
  const { env = null, ...others } = call;
  return JSON.stringify([others, env && Object.entries(env).sort(), sent, streamOf(events, 'stdin')]);
};

const answerOf = ({ events, outcome }: TapeEntry): string => JSON.stringify([events, outcome]);

/** What is wrong, for the first calls of which only values that are not stored tell which is which. */
export function mixedUp(calls: readonly Recorded[]): string | undefined {
  const alike = new Map<string, Recorded[]>();
  for (const one of calls) {
    const key = keyOf(one.entry);
    const others = alike.get(key);
    if (others === undefined) alike.set(key, [one]);
    else others.push(one);
  }
  for (const group of alike.values()) {
    const values = group.map((one) => new Map(hidden(one)));
    const names = Array.from(values[0]?.keys() ?? []).filter(
      (name) => new Set(values.map((of) => JSON.stringify(of.get(name)))).size > 1,
    );
    if (names.length === 0 || new Set(group.map(({ entry }) => answerOf(entry))).size === 1) continue;
    const [title] = group.map(({ entry }) => titleOf(entry.call));
    const list = names.map((name) => `'${name}'`).join(', ');
    return (
      `${title ?? ''} ran ${group.length} times, with other values of ${names.join(', ')}, and did different things; a ` +
      `replay could not tell which is which, since these values are not stored. Store them by env: [${list}], by ` +
      'placeholders what no two runs have in common, or call them secret(): then the order of the calls decides'
    );
  }
  return undefined;
}
