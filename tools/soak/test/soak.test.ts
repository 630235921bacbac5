/** A minute of chaos, with a seed of its own each time. What goes wrong is told with the seed that repeats it. */
import { expect } from 'chai';
import { whyNot } from '@vircommand/posix';
import { phase, places } from '../src/phase';
import { subjectNames } from '../src/subjects';

/** Of each backend in each place, in milliseconds. */
const share = 15_000;
const seed = Date.now() % 1_000_000;

describe('random programs with random ends', function () {
  this.timeout(300_000);

  before(function () {
    // Who is left is found through /proc.
    if (process.platform !== 'linux') this.skip();
  });

  for (const backend of subjectNames) {
    for (const place of places) {
      it(`leave nothing behind: ${backend} in ${place}`, async function () {
        if (backend === 'posix' && whyNot() !== undefined) this.skip();
        const { summary, problems } = await phase(place, backend, {
          seed,
          milliseconds: share,
          mostRuns: Infinity,
          atOnce: 8,
        });
        if (this.test !== undefined) this.test.title += ` (${summary})`;
        expect(problems, summary).to.deep.equal([]);
      });
    }
  }

  it('are the same for the same seed', async function () {
    const { summary, problems } = await phase('main', 'child-process', {
      seed: 28,
      milliseconds: share,
      mostRuns: 1,
      atOnce: 1,
    });
    expect(problems, summary).to.deep.equal([]);
    expect(summary).to.match(/seed 28, 1 runs \(ERR_COMMAND_ABORTED 1\)/);
  });
});
