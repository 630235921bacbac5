/** Tests against a mock: what a call costs that starts nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import type { CommandConstructor } from '@vircommand/core';
import { createMock, openRecording } from '@vircommand/mock';
import type { Case } from '../case';

const operations = 200;
const recorded = 10_000;

const revParse = (Command: CommandConstructor, n: number): Promise<unknown> =>
  new Command('git', ['rev-parse', `HEAD~${n}`], { stdout: 'text' }).run();

/** A recording of so many calls, in a directory of its own. */
function recordingOf(count: number): { readonly file: string; readonly remove: () => void } {
  const directory = mkdtempSync(path.join(tmpdir(), 'bench-'));
  const file = path.join(directory, 'recording.json');
  const calls = Array.from({ length: count }, (_, n) => ({
    call: { program: 'git', args: ['rev-parse', `HEAD~${n}`], stdout: 'pipe', stderr: 'pipe' },
    events: [{ stdout: [String(n), ''] }, { exit: 0 }],
  }));
  const backend = { name: 'child-process', features: [] };
  writeFileSync(file, JSON.stringify({ format: 'vircommand-recording', version: 1, backend, calls }, undefined, 2));
  return {
    file,
    remove: () => {
      rmSync(directory, { recursive: true });
    },
  };
}

/** Set up and taken away with the subject. */
function withRecording(count: number, run: (file: string) => Promise<unknown>): Case['subjects'] {
  let file = '';
  return [
    {
      name: 'vircommand mock',
      role: 'ours',
      setup() {
        const recording = recordingOf(count);
        ({ file } = recording);
        return Promise.resolve(recording.remove);
      },
      run: () => run(file),
    },
  ];
}

export const mock = (): Case[] => [
  {
    name: 'mock/run',
    what: 'a scripted call, from run() to its result',
    iterations: 5,
    unit: 'µs',
    operations,
    subjects: [
      {
        name: 'vircommand mock',
        role: 'ours',
        async run() {
          const backend = createMock();
          const { Command } = backend;
          backend.on('git').reply({ stdout: 'abc\n' }).always();
          for (let i = 0; i < operations; i++) await revParse(Command, i);
        },
      },
    ],
  },
  {
    name: 'mock/replay',
    what: 'a recorded call, from run() to its result, the recording opened and finished',
    iterations: 5,
    unit: 'µs',
    operations,
    subjects: withRecording(operations, async (file) => {
      const recording = await openRecording({ file, mode: 'replay' });
      for (let i = 0; i < operations; i++) await revParse(recording.Command, i);
      await recording.finish();
    }),
  },
  {
    name: 'mock/load',
    what: 'a recording of 10,000 calls, opened',
    iterations: 3,
    subjects: withRecording(recorded, async (file) => {
      (await openRecording({ file, mode: 'replay' })).discard();
    }),
  },
];
