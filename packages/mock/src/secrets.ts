/** The values of a plan that its caller calls secret. */
import type { LaunchPlan, PlanString } from '@vircommand/core/backend';
import { planBytes } from '@vircommand/core/backend';
import { MASK } from './errors';

/** Shorter values are everywhere by chance; as a whole argument or variable a secret is masked whatever its length. */
export const shortestSecret = 4;

/** A string of a plan to search for: bytes as Latin-1. */
export const searched = (text: PlanString): string =>
  typeof text === 'string' ? text : planBytes(text).toString('latin1');

/** A shorter line is hidden where it comes, and proves nothing: `true` and `[core]` are in other texts as well. */
const shortestLine = 8;

/** A secret in the forms in which programs repeat it: a shell drops the newline at the end, and many read line by line. */
export function formsOf(name: string, value: string): (readonly [name: string, value: string])[] {
  const text = value.trimEnd();
  const lines = text.split('\n');
  return [
    [name, value],
    [`${name}.text`, text],
    ...(lines.length > 1 ? lines.map((line, at) => [`${name}.line.${at + 1}`, line.trim()] as const) : []),
  ];
}

/** Whether a text that holds this certainly holds a secret. */
export const isTelling = ([name, value]: readonly [name: string, value: string]): boolean =>
  value.length >= (/\.line\.\d+$/.test(name) ? shortestLine : shortestSecret);

/** All that can be searched for, each with its name. What a program reads is not in a plan. */
export function secretsOf({ argv, env, secret }: LaunchPlan): (readonly [name: string, value: string])[] {
  const secrets: (readonly [string, string])[] = [];
  secret.argv.forEach((index, place) => {
    const value = searched(argv[index] ?? '');
    secrets.push([`secret:argv.${index}`, value]);
    // Of `--name=value` the value alone may be met elsewhere.
    const equals = value.indexOf('=');
    if (equals >= 0) secrets.push([`secret:argv.${index}.value`, value.slice(equals + 1)]);
    secrets.push(...partsOf(secret, `secret:argv.${index}`, place));
  });
  const given = new Map(env === 'inherit' ? [] : env);
  secret.env.forEach((name, place) => {
    secrets.push([`secret:env.${name}`, searched(given.get(name) ?? '')]);
    secrets.push(...partsOf(secret, `secret:env.${name}`, secret.argv.length + place));
  });
  return secrets.flatMap(([name, value]) => formsOf(name, value)).filter(([, value]) => value.length >= shortestSecret);
}

const partsOf = ({ parts }: LaunchPlan['secret'], name: string, place: number): (readonly [string, string])[] =>
  (parts?.[place] ?? []).map((part, at) => [`${name}.part.${at + 1}`, searched(part)] as const);

/** Text for a message about a call: what is secret there may be anywhere in it. */
export function withoutSecrets(text: string, plan: LaunchPlan): string {
  const values = secretsOf(plan).map(([, value]) => value);
  // What is part of a longer one must not break that up.
  values.sort((a, b) => b.length - a.length);
  return values.reduce((rest, value) => rest.replaceAll(value, MASK), text);
}

/** Whether what a program reads from a descriptor is a secret as a whole. */
export const isSecretInput = ({ secret }: LaunchPlan, fd: number): boolean => secret.inputs?.includes(fd) === true;
