import { expect } from 'chai';
import { once } from 'node:events';
import { backend } from '@vircommand/child-process';
import { Command } from '@vircommand/core';
import { runConformance } from '@vircommand/conformance';
import { createMock, createRecorder, type RecordedEvent } from '@vircommand/mock';
import { failure } from './failures';

/** Names of events, in order, neighbours once. */
const names = (events: readonly RecordedEvent[]): string[] =>
  events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);

describe('a recorder', () => {
  it('tells what happens, as it happens, call by call', async () => {
    const events: RecordedEvent[] = [];
    const spy = createRecorder(backend, (event) => events.push(event));
    const cat = await new Command('cat', [], { backend: spy, stdin: 'pipe', stdout: 'pipe' }).runAsync();
    cat.stdin.write('hello');
    await once(cat.stdout, 'data');
    cat.kill('SIGTERM');
    await failure(cat.wait());
    await failure(new Command('/no/such', [], { backend: spy }).run());
    new Command('true', [], { backend: spy }).runSync();
    expect(names(events.filter(({ call, type }) => call === 0 && type !== 'end'))).to.deep.equal([
      'start',
      'stdin',
      'stdout',
      'signal',
      'exit',
    ]);
    expect(names(events.filter(({ call }) => call === 1))).to.deep.equal(['start', 'start-error']);
    expect(events.at(-1)).to.deep.include({ call: 2, type: 'sync' });
  });

  it('is the backend that it wraps: name, features, clock, what it declares and nothing more', async () => {
    const spy = createRecorder(backend, () => undefined);
    expect(spy).to.deep.include({ contract: 1, name: backend.name, features: backend.features });
    expect(spy.clock).to.equal(undefined);
    const mock = createMock({ features: [] });
    mock.on('p').reply({ after: 10_000 });
    const wrapped = createRecorder(mock, () => undefined);
    expect(wrapped.clock).to.equal(mock.clock);
    expect((await new Command('p', [], { backend: wrapped }).run()).durationMs).to.equal(10_000);
  });

  it('changes nothing: the conformance suite passes through it', async () => {
    const only = /^(streams?|input|output|merged|pipes?|kill|abort|timeout|drain|limits?|state|lines|status)\./;
    const subject = { name: 'spy', create: () => createRecorder(backend, () => undefined) };
    const { cases, ok } = await runConformance(subject, { only });
    expect(
      cases.filter(({ status }) => status === 'failed').map(({ id, detail }) => `${id} ${detail ?? ''}`),
    ).to.deep.equal([]);
    expect(ok).to.equal(true);
    expect(cases.length).to.be.greaterThan(50);
  }).timeout(120_000);
});
