/** The values of a plan that its caller calls secret. */
import { planBytes, type LaunchPlan, type PlanString } from '@vircommand/core/backend';
import { MASK } from './errors';

/** Shorter values are everywhere by chance; as a whole argument or variable a secret is masked whatever its length. */
export const shortestSecret = 4;

/** A string of a plan to search for: bytes as Latin-1. */
export const searched = (text: PlanString): string =>
  typeof text === 'string' ? text : planBytes(text).toString('latin1');

/**
 * A shorter part that nobody calls a secret of its own is hidden where it comes, and proves nothing: `true`, `[core]` and
 * `test` are in other texts as well.
 */
const shortestPart = 8;
const partOfSecret = /\.(?:line\.\d+|password\.\d+(?:\.decoded)?)$/;

/** `scheme://user:password@`, where the user may be empty. A port before a path with an `@` in it is no password. */
const login = /\w:\/\/(([^\s/?#:@"<>]*):([^\s/?#"<>]+)@)/g;

/** Whether a value is a secret by its form, whatever its name. */
export const holdsLogin = (value: string): boolean => value.search(login) >= 0;

/** The logins of the URLs in a value, and their passwords, also as a client decodes them. */
export function loginsIn(name: string, value: string): (readonly [name: string, value: string])[] {
  return Array.from(value.matchAll(login)).flatMap(([, whole = '', user = '', password = ''], at) => {
    const place = at + 1;
    const found: (readonly [string, string])[] = [[`${name}.login.${place}`, whole]];
    // As a word of its own it is the name of the user, which is in many texts.
    if (password === user) return found;
    found.push([`${name}.password.${place}`, password], [`${name}.password.${place}.decoded`, decoded(password)]);
    return found;
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

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
  value.length >= (partOfSecret.test(name) ? shortestPart : shortestSecret);

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
  const forms = secrets.flatMap(([name, value]) => formsOf(name, value));
  // Last: what the caller has put together himself keeps its name.
  const logins = secrets.flatMap(([name, value]) => loginsIn(name, value));
  return [...forms, ...logins].filter(([, value]) => value.length >= shortestSecret);
}

const partsOf = ({ parts }: LaunchPlan['secret'], name: string, place: number): (readonly [string, string])[] =>
  (parts?.[place] ?? []).map((part, at) => [`${name}.part.${at + 1}`, searched(part)] as const);

/** Text for a message about a call: what is secret there may be anywhere in it. */
export function withoutSecrets(text: string, plan: LaunchPlan): string {
  const values = secretsOf(plan).map(([, value]) => value);
  // Longest first: a secret that contains another is masked whole.
  values.sort((a, b) => b.length - a.length);
  return values.reduce((rest, value) => rest.replaceAll(value, MASK), text);
}

/** Whether what a program reads from a descriptor is a secret as a whole. */
export const isSecretInput = ({ secret }: LaunchPlan, fd: number): boolean => secret.inputs?.includes(fd) === true;
