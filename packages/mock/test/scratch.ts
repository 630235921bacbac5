/** A directory for the tests of one file, and recordings in it. */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { backend as live } from '@vircommand/child-process';
import type { CommandConstructor } from '@vircommand/core';
import { openRecording, type RecordingOptions } from '@vircommand/mock';

export class Scratch {
  readonly directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'recording-')));
  readonly file = path.join(this.directory, 'recording.json');

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  get text(): string {
    return readFileSync(this.file, 'utf8');
  }

  set text(text: string) {
    writeFileSync(this.file, text);
  }

  /** Runs, and saves what it was. */
  async record<T>(
    work: (Command: CommandConstructor) => Promise<T> | T,
    options: Partial<RecordingOptions> = {},
  ): Promise<T> {
    const recording = await openRecording({ file: this.file, mode: 'update', live, ...options });
    try {
      const result = await work(recording.Command);
      await recording.finish();
      return result;
    } finally {
      recording.discard();
    }
  }

  /** Plays what was recorded, with a backend that must not be asked for anything. */
  replay<T>(
    work: (Command: CommandConstructor) => Promise<T> | T,
    options: Partial<RecordingOptions> = {},
  ): Promise<T> {
    const live = (): never => {
      throw new Error('a replay touches no backend');
    };
    return this.record(work, { mode: 'replay', live, ...options });
  }
}
