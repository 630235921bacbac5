/**
 * The proof that a replay is as good as the real thing: the whole conformance suite, recorded with a backend that starts
 * programs, passes when it is replayed and none can be started.
 */
import { expect } from 'chai';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { backend as childProcess } from '@vircommand/child-process';
import { runConformance, type ConformanceReport } from '@vircommand/conformance';
import type { Backend } from '@vircommand/core/backend';
import { backend as posix, whyNot } from '@vircommand/posix';
import { openRecording, type RecordMode } from '@vircommand/mock';

const repository = path.resolve(__dirname, '..', '..', '..');

/** Runs the suite, every case with a recording of its own, which must be finished without complaint. */
function suite(directory: string, mode: RecordMode, live: () => Backend): Promise<ConformanceReport> {
  let count = 0;
  const placeholders = { repository, directory: /(?:conformance|case)-\w{6}/ };
  const create = async (): Promise<Backend> => {
    const file = path.join(directory, `${count++}.json`);
    let made: Backend | undefined;
    const recording = await openRecording({ file, mode, live: () => (made = live()), placeholders });
    const { backend } = recording;
    return {
      contract: 1,
      name: backend.name,
      features: backend.features,
      start: (plan) => backend.start(plan),
      startAndWaitSync: (plan, request) => backend.startAndWaitSync!(plan, request),
      ...(backend.clock && { clock: backend.clock }),
      // A backend may keep threads, and what is left behind is looked for after each case.
      dispose: async () => {
        await recording.finish();
        await made?.dispose?.();
      },
    };
  };
  return runConformance({ name: mode, programs: 'helper-only', create });
}

/** These look at files and processes that a hook, or a program that is held, leaves outside of what is recorded. */
const outside: ReadonlySet<string> = new Set([
  'hook.called',
  'hook.called.sync',
  'hook.awaited',
  'hook.same-process',
  'handshake.held',
  'daemon.let-go',
]);

const failures = (report: ConformanceReport): string[] =>
  report.cases.filter(({ status }) => status === 'failed').map(({ id, detail }) => `${id}: ${detail ?? ''}`);

/** While this runs there is no program anywhere. */
async function withoutPrograms<T>(work: () => Promise<T>): Promise<T> {
  const { PATH } = process.env;
  process.env.PATH = '/nonexistent:/nowhere';
  try {
    return await work();
  } finally {
    process.env.PATH = PATH;
  }
}

describe('the proof', function () {
  this.timeout(300_000);
  const reason = whyNot();
  const backends: readonly (readonly [string, Backend, boolean])[] = [
    ['child-process', childProcess, true],
    ['posix', posix, reason === undefined],
  ];
  for (const [name, live, isHere] of backends) {
    (isHere ? describe : describe.skip)(name, () => {
      const directory = mkdtempSync(path.join(tmpdir(), 'proof-'));
      after(() => {
        rmSync(directory, { recursive: true, force: true });
      });
      let recorded: ConformanceReport;

      it('the whole suite passes while it is recorded', async () => {
        recorded = await suite(directory, 'update', () => live);
        expect(failures(recorded)).to.deep.equal([]);
        expect(readdirSync(directory).length).to.be.greaterThan(150);
      });

      it('and passes again when it is replayed and no program can be started', async () => {
        const replayed = await withoutPrograms(() =>
          suite(directory, 'replay', () => {
            throw new Error('a replay needs no backend');
          }),
        );
        const inside = (report: ConformanceReport): ConformanceReport => ({
          ...report,
          cases: report.cases.filter(({ id }) => !outside.has(id)),
        });
        expect(failures(inside(replayed))).to.deep.equal([]);
        const statusOf = (report: ConformanceReport): string[] =>
          inside(report).cases.map(({ id, status }) => `${id}: ${status}`);
        const before = statusOf(recorded);
        expect(statusOf(replayed).filter((line, index) => line !== before[index])).to.deep.equal([]);
        expect(replayed.cases.filter(({ status }) => status === 'passed').length).to.be.greaterThan(150);
      });
    });
  }
});
