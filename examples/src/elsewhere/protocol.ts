/** What goes over the wire: one JSON object a line, bytes as base64. */
import type { Readable, Writable } from 'node:stream';
import type { ExitStatus, LaunchPlan, SignalName, Stage } from '@vircommand/core/backend';

export type Output = 'stdout' | 'stderr';

/** From here to there. The `id` says which program; it is numbered by the side that starts it. */
export type Order = { readonly id: number } & (
  | { readonly do: 'start'; readonly plan: LaunchPlan }
  | { readonly do: 'signal'; readonly name: SignalName; readonly target: 'process' | 'tree' }
  /** One more chunk: nothing is sent that nobody wants to read. */
  | { readonly do: 'read'; readonly from: Output }
  | { readonly do: 'write'; readonly bytes: string }
  | { readonly do: 'close'; readonly stream: 'stdin' | Output }
  | { readonly do: 'dispose' }
);

/** From there to here. */
export type Report = { readonly id: number } & (
  | { readonly is: 'started' }
  | { readonly is: 'failed'; readonly stage: Stage; readonly error: FarError; readonly path?: string | undefined }
  | { readonly is: 'output'; readonly from: Output; readonly bytes: string }
  | { readonly is: 'end'; readonly from: Output }
  | { readonly is: 'written'; readonly error?: FarError | undefined }
  | { readonly is: 'exited'; readonly status: ExitStatus }
);

/** An error of the system, as far as it can travel. */
export interface FarError {
  readonly message: string;
  readonly code?: string | undefined;
}

export function send(to: Writable, message: Order | Report): void {
  to.write(`${JSON.stringify(message)}\n`);
}

/** Calls `take` for every message, in their order. */
export function receive(from: Readable, take: (message: unknown) => void): void {
  const line: string[] = [];
  from.setEncoding('utf8').on('data', (text: string) => {
    const parts = text.split('\n');
    const rest = parts.pop() ?? '';
    for (const part of parts) take(JSON.parse(line.splice(0).join('') + part));
    line.push(rest);
  });
}
