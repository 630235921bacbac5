import { expect } from 'chai';
import { capability, capabilityNumber } from '../src/capabilities';
import { fake } from './fake-backend';

describe('capabilities', () => {
  it('are the same by name and by number, so that a plan has none twice', () => {
    const made = fake();
    const command = new made.Command('p').clearCaps().allowCap(13).allowCap('CAP_NET_RAW').allowCap('CAP_13');
    command.allowCap('CAP_007').runSync();
    expect(made.plan.privileged.capabilities).to.deep.equal({ clear: true, allow: ['CAP_NET_RAW', 'CAP_SETUID'] });
  });

  it('are taken by number in the options form too', () => {
    const made = fake();
    new made.Command('p', [], { capabilities: { allow: [0, 'CAP_CHOWN', 40] } }).runSync();
    const allow = ['CAP_CHOWN', 'CAP_CHECKPOINT_RESTORE'];
    expect(made.plan.privileged.capabilities).to.deep.equal({ clear: false, allow });
  });

  it('of later kernels go by number, and by a name that is left to the backend', () => {
    expect([capability(41), capability('CAP_63')]).to.deep.equal(['CAP_41', 'CAP_63']);
    expect(capability('CAP_FUTURE')).to.equal('CAP_FUTURE');
    expect([capabilityNumber('CAP_41'), capabilityNumber('CAP_FUTURE')]).to.deep.equal([41, undefined]);
  });

  it('have one number each, and the way back', () => {
    for (let number = 0; number <= 63; number++) {
      expect(capabilityNumber(capability(number) ?? '')).to.equal(number);
    }
    expect(capabilityNumber('CAP_NET_RAW')).to.equal(13);
    expect(capabilityNumber('CAP_CHECKPOINT_RESTORE')).to.equal(40);
  });

  it('are nothing else', () => {
    const wrong = [-1, 64, 1.5, NaN, '', 'CAP_', 'CAP_64', 'CAP_1e1', 'CAP_-1', 'cap_net_raw', 'NET_RAW', null, {}];
    for (const given of wrong) expect(capability(given), JSON.stringify(given)).to.equal(undefined);
  });
});
