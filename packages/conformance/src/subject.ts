/** What a third party hands in, checked before anything runs; it may be written in JavaScript. */
import { isPromise } from 'node:util/types';
import { GivenOptions, isPlain, noObject, type Feature } from '@vircommand/core/backend';
import type { ConformanceCase, ConformanceSubject } from './types';

/** The error of a call that is wrong. */
export const wrong = (call: string, reason: string): TypeError => new TypeError(`${call}: ${reason}`);

const names = ['name', 'create', 'knownFailures', 'programs', 'paths'] as const;

/** @throws TypeError that says what is wrong. */
export function checkSubject(subject: ConformanceSubject, cases: readonly ConformanceCase[]): void {
  const whole: unknown = subject;
  if (typeof whole !== 'object' || whole === null) throw wrong('conformance', `the subject ${noObject(whole)}`);
  // An instance of a class may have what is its own affair.
  if (isPlain(whole)) new GivenOptions('conformance', whole, names, wrong).oneOf('programs', ['any', 'helper-only']);
  const { name, knownFailures = {} }: Partial<ConformanceSubject> = subject;
  if (typeof name !== 'string' || name === '') throw wrong('conformance', 'the subject has no name');
  if (typeof Reflect.get(subject, 'create') !== 'function') {
    throw wrong('conformance', `the subject '${name}' has no create(), which makes a backend for one case`);
  }
  const ids = new Set(cases.map(({ id }) => id));
  const unknown = Object.keys(knownFailures).filter((id) => !ids.has(id));
  if (unknown.length > 0) {
    throw wrong('conformance', `knownFailures of '${name}' names no case of the suite: ${unknown.join(', ')}`);
  }
}

/**
 * What the subject declares, if that can be known without waiting: runners want to know what is skipped before tests run,
 * and some cannot skip later.
 */
export function featuresNow(subject: ConformanceSubject): readonly Feature[] | undefined {
  let created: ReturnType<ConformanceSubject['create']>;
  try {
    created = subject.create();
  } catch {
    return undefined; // Every case will tell.
  }
  void Promise.resolve(created)
    .then((backend) => backend.dispose?.())
    .catch(() => undefined);
  return isPromise(created) ? undefined : created.features;
}
