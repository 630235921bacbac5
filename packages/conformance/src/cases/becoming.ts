/** `exec()`, as far as a test can go that wants to be there afterwards: backends prove the rest with processes of their own. */
import * as assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { group } from './define';

const signals = (): string[] => readFileSync('/proc/self/status', 'latin1').match(/^Sig(Blk|Ign|Cgt).*$/gm) ?? [];

export const becomingCases = group('exec', { requires: ['exec'] }, [
  {
    id: 'missing',
    title: 'a process that cannot become the program stays what it is, and can start others',
    why: 'The error must reach somebody; a server with closed descriptors cannot even log it.',
    needs: ['linux'],
    async run(t) {
      if (!isMainThread) t.notChecked('a worker thread cannot become a program');
      const before = signals();
      const { read, write } = t.pipe();
      const command = new t.Command('/no/such/program', ['x']);
      if (t.has('pass-fd')) command.passFd(write, { as: 3 }).passFd(read, { as: 4 });
      await t.rejectsStart(() => command.exec(), { stage: 'exec', code: 'ENOENT' });
      assert.deepEqual(signals(), before);
      await t.helper('exit:0').run();
    },
  },
]);
