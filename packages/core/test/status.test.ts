import { constants } from 'node:os';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { decodeWaitStatus, signalName, signalNumber } from '@vircommand/core/backend';

describe('the wait status', () => {
  it('is an exit code or a signal, with or without core dump', () => {
    fc.assert(
      fc.property(fc.nat(255), (code) => {
        expect(decodeWaitStatus(code << 8)).to.deep.equal({ exitCode: code, signal: undefined, coreDumped: false });
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.boolean(), (number, coreDumped) => {
        const decoded = decodeWaitStatus(number | (coreDumped ? 0x80 : 0));
        expect(decoded).to.deep.equal({ exitCode: undefined, signal: signalName(number), coreDumped });
        expect(signalNumber(decoded.signal ?? '')).to.equal(number);
      }),
    );
  });

  it('has the usual names, and numbers for those without', () => {
    expect([9, 15, 11].map(signalName)).to.deep.equal(['SIGKILL', 'SIGTERM', 'SIGSEGV']);
    expect(signalName(constants.signals.SIGABRT)).to.equal('SIGABRT');
    expect([signalName(40), signalNumber('SIG40')]).to.deep.equal(['SIG40', 40]);
    expect(['SIGNONE', 'SIG0', 'SIG65', 'sigterm', '9', 'toString'].map(signalNumber)).to.deep.equal(
      Array(6).fill(undefined),
    );
  });
});
