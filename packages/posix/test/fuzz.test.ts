/** Random plans, most of them wrong: each is refused with a stage or runs; nothing crashes, hangs or is left behind. */
import { CommandStartError } from '@vircommand/core';
import type { LaunchPlan, PlanStream, PlanString } from '@vircommand/core/backend';
import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from '../src/spawn';
import { onEachDriver } from './drivers';
import { finish, openFds, planOf } from './plans';

const runs = Number(process.env.VIRCOMMAND_FUZZ_RUNS ?? 500);

const number = fc.oneof(
  fc.integer({ min: -3, max: 40 }),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1, 2 ** 53, 1.5, NaN, Infinity, 1000, 65535, 2 ** 20),
);
const text: fc.Arbitrary<PlanString> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', '\0', 'a\0b', 'x'.repeat(5000), 'x'.repeat(140_000)),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ base64: Buffer.from(bytes).toString('base64') })),
);
const shortText = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom('', '..', '/', '\0', '/proc/self/fd', 'x'.repeat(5000)),
);
/** Below a directory of the test, so that a file of any name may be made. */
const pathIn = (directory: string): fc.Arbitrary<string> =>
  shortText.map((name) => `${directory}/${name.replaceAll('/', '_')}`);

describe('random plans', function () {
  this.timeout(600_000);
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'vircommand-fuzz-'));
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  onEachDriver((libc) => {
    it(`leave nothing behind (${runs} of them)`, () => {
      const stream: fc.Arbitrary<PlanStream> = fc.oneof(
        fc.constant<PlanStream>({ type: 'null' }),
        fc.constant<PlanStream>({ type: 'pipe' }),
        // Sources of this process are read-only or /dev/null, so that no program writes into the test's own output.
        number.map((fd): PlanStream => ({ type: 'fd', fd })),
        fc.record({
          type: fc.constant('file' as const),
          path: pathIn(directory),
          mode: fc.constantFrom('read' as const, 'write' as const, 'append' as const),
        }),
      );
      const plan = fc.record({
        program: fc.oneof(
          { weight: 3, arbitrary: fc.constantFrom<PlanString>('/bin/true', 'true', '/bin/false') },
          text,
        ),
        argv: fc.array(text, { maxLength: 5 }),
        env: fc.oneof(fc.constant('inherit' as const), fc.array(fc.tuple(shortText, text), { maxLength: 4 })),
        cwd: fc.option(fc.oneof(shortText, fc.constantFrom('/', '/tmp')), { nil: undefined, freq: 3 }),
        stdin: stream,
        stdout: stream,
        stderr: fc.oneof(stream, fc.constant<PlanStream>({ type: 'same-as-stdout' })),
        passFds: fc.array(fc.record({ fd: number, as: number }), { maxLength: 3 }),
        sendBuffers: fc.array(number, { maxLength: 2 }),
        group: fc.constantFrom<LaunchPlan['group'][]>('auto', 'none', 'group', 'session'),
      });
      const right: typeof plan extends fc.Arbitrary<infer Part> ? Part : never = {
        program: '/bin/true',
        argv: ['true'],
        env: 'inherit',
        cwd: undefined,
        stdin: { type: 'null' },
        stdout: { type: 'pipe' },
        stderr: { type: 'same-as-stdout' },
        passFds: [],
        sendBuffers: [],
        group: 'auto',
      };
      const fds = openFds();
      const children = (): string => readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1');
      const before = children();
      let started = 0;
      fc.assert(
        fc.property(plan, (part) => {
          try {
            finish(startProcess(planOf(part), libc), libc);
            started++;
          } catch (error) {
            if (!(error instanceof CommandStartError)) throw error;
            expect(error.code).to.match(/^E[A-Z0-9]+$/);
          }
        }),
        // One that is right comes for certain, so that it shows if none is started at all.
        { numRuns: runs, examples: [[right]] },
      );
      expect(openFds()).to.deep.equal(fds);
      expect(children()).to.equal(before);
      expect(started).to.be.greaterThan(0);
    });
  });
});
