/** The gate as the thread that starts programs sees it: its keeper, and the spawner threads that are linked to it. */
import { MessageChannel } from 'node:worker_threads';
import type { DriverName } from '../ffi';
import type { Gate } from '../prepare';
import { cString } from '../struct';
import { breakLink, makeWords, type GateLink } from './hold';
import { Thread, type Refusal } from './thread';

export class Gatehouse {
  private keeper: Thread | undefined;
  /** While it is being made. */
  private opening: Promise<Gate> | undefined;
  private opened: ((gate: Gate) => void) | undefined;
  private failed: ((error: Error) => void) | undefined;
  private links = new Map<Thread, Int32Array>();

  constructor(private readonly driver: DriverName) {}

  /** Rejects where there can be none, with the reason. A gatekeeper that died is replaced. */
  gate(): Promise<Gate> {
    this.opening ??= new Promise<Gate>((resolve, reject) => {
      this.opened = resolve;
      this.failed = reject;
      const keeper = (this.keeper = new Thread(this.driver, 'gatekeeper', {
        said: (said) => {
          if (said.type !== 'ready' || said.lease === undefined || said.token === undefined) return;
          keeper.keepAlive(false);
          const path = (fd: number): Buffer => cString(`/proc/${process.pid}/fd/${fd}`);
          this.opened?.({ lease: path(said.lease), token: path(said.token) });
        },
        gone: (_thread, why, refused) => {
          this.gone(why, refused);
        },
      }));
      // Somebody waits for it.
      keeper.keepAlive(true);
    });
    return this.opening;
  }

  /** Whether this thread can start what is to be held; links it. */
  link(spawner: Thread): void {
    if (this.links.has(spawner) || this.keeper === undefined) return;
    const { port1, port2 } = new MessageChannel();
    const words = makeWords();
    this.links.set(spawner, words);
    this.keeper.post({ port: port1, words } satisfies GateLink, [port1]);
    spawner.post({ type: 'gate', port: port2, words }, [port2]);
  }

  /** A spawner thread is gone. */
  unlink(spawner: Thread): void {
    const words = this.links.get(spawner);
    this.links.delete(spawner);
    if (words !== undefined) breakLink(words);
  }

  async dispose(): Promise<void> {
    await this.keeper?.terminate();
  }

  private gone(why: string, refused: Refusal): void {
    for (const words of this.links.values()) breakLink(words);
    this.links = new Map();
    this.keeper = undefined;
    this.failed?.(new Error(why));
    // One that cannot be is not tried again.
    if (refused !== 'for good') this.opening = undefined;
  }
}
