import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { writeTape } from '../src/tape-file';
import { thrown } from './failures';
import { Scratch } from './scratch';

describe('the file of a recording', () => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(() => {
    scratch.remove();
  });

  it('has one writer: a second one that comes before the first has done is told, and so is one that comes after', () => {
    const write = (text: string, during?: () => void): void => {
      writeTape(scratch.file, text, undefined, () => during?.());
    };
    write('first', () => {
      const error = thrown(() => {
        write('second');
      });
      expect(error).to.include({ code: 'ERR_RECORDING_CONFLICT', file: scratch.file });
    });
    expect(scratch.text).to.equal('first');
    expect(
      thrown(() => {
        write('third');
      }).code,
    ).to.equal('ERR_RECORDING_CONFLICT');
    expect(scratch.text).to.equal('first');
    expect(readdirSync(scratch.directory)).to.deep.equal(['recording.json']);
  });
});
