/** What a backend does not declare: refused before anything is started, or honestly absent from results. Generated. */
import * as assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { CommandAbortedError, UnsupportedFeatureError } from '@vircommand/core';
import { FEATURES, FEATURE_INFO, type Feature } from '@vircommand/core/backend';
import type { CaseContext, ConformanceCase } from '../types';
import { asking } from './asking';
import { readRest, rejection } from './define';
import { started } from './endings';

/** Features that a request needs besides the one it is for. */
const besides: Readonly<Partial<Record<Feature, Feature>>> = { 'sync-deadline': 'sync', 'pid-file': 'daemon' };

function refusal(feature: Feature): ConformanceCase {
  return {
    id: `refused.${feature}`,
    title: `${FEATURE_INFO[feature].summary}: refused before anything is started`,
    why: 'A request that is ignored in silence is a program that runs with other rights, limits or files than it should.',
    requires: [],
    without: feature,
    since: 1,
    async run(t: CaseContext) {
      const request = asking[feature];
      assert.ok(request !== undefined, `no way to ask for ${feature}`);
      const command = t.helper('exit:0');
      request.ask?.(command);
      const error = await rejection(request.run?.(command) ?? command.run(), UnsupportedFeatureError);
      const also = besides[feature];
      assert.ok(error.feature === feature || (error.feature === also && !t.has(also)), error.feature);
      assert.equal(error.code, 'ERR_COMMAND_UNSUPPORTED');
      assert.equal(error.backend, t.backend.name);
      assert.deepEqual(error.availableIn, FEATURE_INFO[error.feature].availableIn);
      assert.equal(t.starts, 0);
    },
  };
}

/** What results must not pretend, by feature. */
const absences: Readonly<Partial<Record<Feature, Pick<ConformanceCase, 'title' | 'why' | 'run'>>>> = {
  'sync-reap': {
    title: 'a program that is disposed without waiting is reaped when the event loop turns',
    why: 'No zombie may stay, if not at once then soon.',
    run: async (t) => {
      const running = await started(t, ['out:ready\\n', 'forever']);
      running[Symbol.dispose]();
      await rejection(running.wait(), CommandAbortedError);
      const { pid } = running;
      if (pid === undefined || !existsSync('/proc/self')) return;
      await t.until('the program is reaped', () => !existsSync(`/proc/${pid}`));
    },
  },
  'close-other-fds': {
    title: 'the pipes of one program do not get into another one',
    why: 'Descriptors of others may, which is why the feature is not declared; the backend’s own must not.',
    run: async (t) => {
      const first = await t.helper('cat').setInputFd('pipe').setOutputFd('pipe').runAsync();
      const second = await t.helper('eof').setInputFd('pipe').runAsync();
      first.stdin.end('x');
      assert.equal(await readRest(first.stdout), 'x');
      await first.wait();
      second.stdin.end();
      await second.wait();
    },
  },
  'kill-tree': {
    title: 'no result says that the whole tree was ended',
    why: 'Whoever reads it does not look for what is left.',
    run: async (t) => {
      const running = await started(t, ['out:ready\\n', 'forever']);
      await running.abort();
      const { result } = await rejection(running.wait(), CommandAbortedError);
      assert.ok(result.ended === 'process' || result.ended === 'group', result.ended);
    },
  },
  'core-dump-bit': {
    title: 'no result says whether there was a core dump',
    why: '"No" and "not known" are two answers.',
    run: async (t) => assert.equal((await t.helper('exit:0').run()).coreDumped, undefined),
  },
  'resource-usage': {
    title: 'no result has figures of what was used',
    why: 'Zeros would be taken for figures.',
    run: async (t) => assert.equal((await t.helper('exit:0').run()).usage, undefined),
  },
  'local-pid': {
    title: 'there is no pid',
    why: 'A number that means a process elsewhere, or none, must not be signalled here.',
    run: async (t) => {
      const running = await t.helper('exit:0').runAsync();
      assert.equal(running.pid, undefined);
      assert.equal((await running.wait()).pid, undefined);
    },
  },
};

function absence(feature: Feature): ConformanceCase[] {
  const told = absences[feature];
  return told === undefined ? [] : [{ id: `absent.${feature}`, requires: [], without: feature, since: 1, ...told }];
}

export const refusalCases: ConformanceCase[] = FEATURES.flatMap((feature) =>
  FEATURE_INFO[feature].kind === 'asked' ? [refusal(feature)] : absence(feature),
);
