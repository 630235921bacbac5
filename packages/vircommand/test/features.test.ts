import { expect } from 'chai';
import { backend as childProcess } from '@vircommand/child-process';
import { FEATURES, FEATURE_INFO } from '@vircommand/core/backend';
import { createMock } from '@vircommand/mock';
import { backend as posix, whyNot } from '@vircommand/posix';

/** With musl or an older glibc not all of posix can be had. */
function newGlibc(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const [major = 0, minor = 0] = (header.glibcVersionRuntime ?? '').split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 34);
}

/** On Linux with glibc every feature that a backend of this project can have is there. */
describe('what errors say of who has a feature', function () {
  before(function () {
    if (process.platform !== 'linux' || whyNot() !== undefined || !newGlibc()) this.skip();
  });

  for (const backend of [posix, childProcess, createMock()]) {
    it(`is what ${backend.name} declares`, () => {
      const said = FEATURES.filter((feature) => FEATURE_INFO[feature].availableIn.includes(backend.name));
      expect(said).to.have.members([...backend.features]);
    });
  }
});
