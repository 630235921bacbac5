/** A report with known figures. */
import type { Report } from '../src/report';
import type { Result, Row } from '../src/verdict';

const row = (name: string, role: Row['role'], median: number, more: Partial<Row> = {}): Row => ({
  name,
  role,
  median,
  quartiles: [median - 0.1, median + 0.25],
  p99: median * 2,
  runs: 6,
  ...more,
});

const half = { value: 0.5, low: 0.4, high: 0.6 };

export const result: Result = {
  name: 'start/async',
  what: 'start <something> & wait',
  unit: 'ms',
  rows: [
    row('the limit', 'limit', 1),
    row('ours', 'ours', 1.5, { toBestPeer: half, toLimit: { value: 1.5, low: 0, high: Infinity } }),
    row('child_process', 'peer', 3),
    row('slow | peer', 'peer', 6),
  ],
  standings: [{ subject: 'ours', peer: 'child_process', ratio: half, verdict: 'ahead' }],
  bars: [
    {
      subject: 'ours',
      than: 'the limit',
      atMost: 1.4,
      found: { value: 1.5, low: 1.45, high: 1.6 },
      verdict: 'not met',
    },
    { subject: 'ours', atMost: 5, found: { value: 1.5, low: 1, high: 2 }, verdict: 'met' },
    { subject: 'launcher', atMost: 1, verdict: 'not measured', reason: 'launcher: not built' },
  ],
  absent: [{ name: 'launcher', reason: 'not built' }],
  rounds: { ours: [1.5, 1.51234567] },
};

export const report: Report = {
  format: 2,
  machine: {
    processor: 'a processor',
    processors: 2,
    memoryGiB: 8,
    system: 'Linux 6',
    node: '20.19.0',
    date: '2026-01-02',
    versions: { execa: '9.6.1' },
  },
  results: [result],
};
