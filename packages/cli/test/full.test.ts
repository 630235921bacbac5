/** A full disk, or whatever else keeps us from writing: the program's status is not lost, and what is ours is 125. */
import { expect } from 'chai';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { scratch, shell } from './installed';

describe('what cannot be written', function () {
  this.timeout(60_000);
  if (process.platform !== 'linux') return;
  const env = { FILE: path.join(scratch(), 'recording.json') };

  const reports: readonly (readonly [string, number])[] = [
    ["run --stats -- sh -c 'exit 7'", 7],
    ['run -t 0.1 -- sleep 60', 124],
    ['run -- no-such-program', 127],
    ['help no-such-command', 125],
  ];
  for (const [line, status] of reports) {
    it(`is a report, and the status is the same: ${line}`, async () => {
      expect((await shell(`vircommand ${line} 2>/dev/full`)).status).to.equal(status);
    });
  }

  const answers: readonly (readonly [string, string])[] = [
    ['run --output-limit 1K -- echo x', 'vircommand run'],
    ['run --dry-run -- echo x', 'vircommand run'],
    ['record "$FILE" -- echo hi', 'vircommand record'],
    ['status /no-such.pid', 'vircommand status'],
    ['completion bash', 'vircommand completion'],
    ['run --help', 'vircommand'],
    ['--version', 'vircommand'],
  ];
  for (const [line, who] of answers) {
    it(`is what was asked for, which is a failure of one line: ${line}`, async () => {
      const { status, stderr } = await shell(`vircommand ${line} >/dev/full`, { env });
      expect(status).to.equal(125);
      expect(stderr).to.match(/^[^\n]*stdout cannot be written: ENOSPC[^\n]*\n$/);
      expect(stderr.startsWith(`${who}: `)).to.equal(true);
    });
  }

  it('and was recorded is in the recording', async () => {
    await shell('vircommand record --overwrite "$FILE" -- echo hi >/dev/full', { env });
    expect(existsSync(env.FILE)).to.equal(true);
    expect(await shell('vircommand replay "$FILE" -- echo hi', { env })).to.include({ status: 0, stdout: 'hi\n' });
  });

  it('is a recording: nothing runs, and one line says why', async () => {
    const { status, stdout, stderr } = await shell('vircommand record /etc/passwd/x -- echo hi');
    expect([status, stdout]).to.deep.equal([125, '']);
    expect(stderr).to.match(/^vircommand record: \/etc\/passwd\/x: the recording cannot be written: ENOTDIR[^\n]*\n$/);
  });
});
