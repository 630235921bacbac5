/** What can be offered, in a form that each shell's script is made of. */
import { limitNames } from '../attributes';
import { backendNames } from '../backends';
import { capabilityNames } from '../capabilities';
import type { Completion, Flag } from '../flag';
import type { Subcommand } from '../subcommand';

/** What the shell knows itself. */
export type Known = 'file' | 'directory' | 'user' | 'group' | 'variable';
/** What the shell knows, or the words themselves. */
export type Candidates = { readonly known: Known } | { readonly words: readonly string[] };

const ours: Readonly<Record<Exclude<Completion & string, Known>, readonly string[]>> = {
  backend: backendNames,
  capability: capabilityNames,
  limit: limitNames.map((name) => `${name}=`),
};

/** Nothing where anything may come. */
export function candidatesOf(completion: Completion | undefined): Candidates | undefined {
  if (completion === undefined) return undefined;
  if (typeof completion !== 'string') return { words: completion };
  const isOurs = (name: string): name is keyof typeof ours => Object.hasOwn(ours, name);
  return isOurs(completion) ? { words: ours[completion] } : { known: completion };
}

/** `--help` is everywhere. */
const help: Flag<never> = { name: 'help', short: 'h', help: 'print a help', apply: () => undefined };

export const flagsOf = ({ flags }: Subcommand): readonly Flag<never>[] => [
  ...flags.flatMap((group) => group.flags),
  help,
];

/** `-u` and `--user`. */
export const spellings = ({ name, short }: Flag<never>): string[] => [
  `--${name}`,
  ...(short === undefined ? [] : [`-${short}`]),
];

/** A text between single quotes, for every shell; in fish a backslash has a meaning there. */
export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
