/** How a process ends that has loaded libc and closed its own streams, as services do that detach themselves. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { bundled, bundledEnv, removeBundled } from './bundled';
import { onEachDriver } from './drivers';

const places = [
  'main thread',
  'main thread without listeners',
  'main thread that had closed them',
  'worker',
  'worker that has ended',
];

describe('a process that closes its streams', function () {
  this.timeout(60_000);
  after(removeBundled);

  onEachDriver((_, driver) => {
    for (const place of places) {
      // ffi-napi does not load there.
      if (driver === 'ffi-napi' && place.startsWith('worker')) continue;
      for (const descriptors of [['1'], ['2'], ['0', '1', '2']]) {
        it(`exits: ${place}, ${descriptors.join(', ')}`, () => {
          const argv = ['--no-warnings', bundled('closing'), place, driver, ...descriptors];
          const { status, signal, stderr } = spawnSync(process.execPath, argv, {
            encoding: 'utf8',
            env: bundledEnv(),
            timeout: 10_000,
            killSignal: 'SIGKILL',
          });
          expect({ status, signal, stderr }).to.deep.equal({ status: 3, signal: null, stderr: '' });
        });
      }
    }
  });
});
