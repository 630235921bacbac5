import { expect } from 'chai';
import { CliError } from '../src/exit-status';
import * as values from '../src/values';

describe('the value of a flag', () => {
  const read: Readonly<Record<string, readonly [(text: string) => unknown, readonly (readonly [string, unknown])[]]>> =
    {
      'a duration': [
        values.duration,
        [
          ['500ms', 500],
          ['30s', 30_000],
          ['30', 30_000],
          ['1.5m', 90_000],
          ['.5', 500],
          ['2h', 7_200_000],
          ['1d', 86_400_000],
          ['0', 0],
        ],
      ],
      'a size': [
        values.size,
        [
          ['0', 0],
          ['4096', 4096],
          ['64K', 65_536],
          ['64k', 65_536],
          ['10M', 10_485_760],
          ['10MiB', 10_485_760],
          ['10MB', 10_000_000],
          ['1.5G', 1_610_612_736],
        ],
      ],
      'a whole number': [
        values.whole,
        [
          ['-20', -20],
          ['+3', 3],
          ['007', 7],
        ],
      ],
      'an octal number': [
        values.octal,
        [
          ['022', 0o22],
          ['0', 0],
          ['777', 0o777],
        ],
      ],
      'a list of processors': [
        values.processors,
        [
          ['0', [0]],
          ['0-3,6', [0, 1, 2, 3, 6]],
        ],
      ],
      'a capability': [
        values.capability,
        [
          ['net_raw', 'CAP_NET_RAW'],
          ['CAP_NET_RAW', 'CAP_NET_RAW'],
          ['cap_net_raw', 'CAP_NET_RAW'],
          ['13', 'CAP_13'],
        ],
      ],
      'a list': [
        values.list,
        [
          ['', []],
          ['a,b', ['a', 'b']],
        ],
      ],
    };
  for (const [what, [reader, cases]] of Object.entries(read)) {
    it(`is ${what}`, () => {
      for (const [text, value] of cases) expect(reader(text), text).to.deep.equal(value);
    });
  }

  const wrong: readonly (readonly [(text: string) => unknown, readonly string[], RegExp])[] = [
    [
      values.duration,
      ['', 's', '5x', '-1s', '1 s', '1e3', '1ss'],
      /^takes a duration like 30s, 500ms, 2m, 1h or 1d, not '/,
    ],
    [values.size, ['', 'M', '-1', '10X', '10 M', '1e9', '99999999P'], /^takes a size like 4096, 64K or 10M, not '/],
    [values.whole, ['', 'x', '1.5', '0x10', '1e3'], /^takes a whole number, not '/],
    [values.octal, ['', '8', '0o22', 'u=rw', '77777'], /^takes an octal number like 022, not '/],
    [values.processors, ['x', '3-1', '0-99999', '1-', ',1'], /^takes processors like 0-3,6, not '/],
  ];
  for (const [reader, texts, message] of wrong) {
    it(`says what it takes: ${reader.name}`, () => {
      for (const text of texts) expect(() => reader(text), text).to.throw(CliError, message);
    });
  }
});
