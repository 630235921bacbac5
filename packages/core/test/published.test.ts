/** What bundling must not change. Says the same of the sources. */
import { inspect } from 'node:util';
import { expect } from 'chai';
import * as core from '@vircommand/core';
import * as backend from '@vircommand/core/backend';

describe('what is published', () => {
  it('is one library: both entry points have the same classes', () => {
    expect(core.CommandStartError).to.equal(backend.CommandStartError);
    expect(core).to.not.have.any.keys('bindCommand', 'startError');
    expect(backend).to.not.have.property('Command');
  });

  it('has the names that people see', () => {
    const errors = Object.entries(core).filter(([name]) => name.endsWith('Error'));
    expect(errors.map(([name]) => name)).to.have.length.above(8);
    for (const [name, errorClass] of errors) expect(errorClass).to.have.property('name', name);
    expect(inspect(backend.startError('exec', 'nothing there'))).to.match(
      /^CommandStartError: Command could not be started/,
    );
    expect(inspect(new core.Command('x'))).to.equal('Command { x }');
  });
});
