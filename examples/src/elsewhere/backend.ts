/** A backend that starts programs wherever a command leads: `ssh HOST`, `docker exec -i BOX`, `nsenter -t PID -a`. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { startError, type Backend, type ChildHandle, type Feature, type LaunchPlan } from '@vircommand/core/backend';
import { FarProgram } from './program';
import { receive, send, type Report } from './protocol';

const features: readonly Feature[] = Object.freeze(['argv0', 'cwd', 'merged-output', 'session']);

type Held = (NodeJS.RefCounted & { readonly destroyed?: boolean }) | null | undefined;

/** One connection, made with the first program. */
class Connection {
  private agent: ChildProcess | undefined;
  private readonly programs = new Map<number, FarProgram>();
  private last = 0;
  private closing = false;

  constructor(private readonly command: readonly [string, ...string[]]) {}

  async start(plan: LaunchPlan): Promise<ChildHandle> {
    const { stdin } = (this.agent ??= this.connect());
    const id = ++this.last;
    const there = plan.env === 'inherit' ? { ...plan, env: ownEnvironment() } : plan;
    const program = new FarProgram(
      there,
      (order) => stdin?.writable === true && send(stdin, { id, ...order }),
      () => this.forget(id),
    );
    this.programs.set(id, program);
    this.keepAlive();
    return program.started;
  }

  private connect(): ChildProcess {
    const [file, ...args] = this.command;
    const agent = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    agent.on('error', (error) => this.lose(agent, error));
    agent.once('exit', () => this.lose(agent, 'the connection ended'));
    agent.stdin.on('error', () => undefined);
    receive(agent.stdout, (message) => {
      const report = message as Report;
      this.programs.get(report.id)?.take(report);
    });
    return agent;
  }

  private lose(agent: ChildProcess, reason: Error | string): void {
    if (this.agent === agent) this.agent = undefined;
    for (const program of this.programs.values()) program.lose(startError('backend', reason));
    this.programs.clear();
  }

  private forget(id: number): void {
    this.programs.delete(id);
    this.keepAlive();
  }

  /** An idle connection must not keep this process from ending. */
  private keepAlive(): void {
    const { agent } = this;
    const way = this.programs.size > 0 || this.closing ? 'ref' : 'unref';
    for (const part of [agent, agent?.stdin, agent?.stdout] as Held[]) {
      // A closed stream would remember it for a connection to come, each time.
      if (part?.destroyed !== true) part?.[way]();
    }
  }

  async close(): Promise<void> {
    const { agent } = this;
    if (agent === undefined) return;
    this.closing = true;
    this.keepAlive();
    agent.stdin?.end();
    await once(agent, 'exit');
    this.closing = false;
  }
}

const ownEnvironment = (): [string, string][] =>
  Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));

/** `command` starts the agent: `['ssh', 'host', 'node', 'agent.js']`. */
export function elsewhere(command: readonly [string, ...string[]]): Backend {
  const connection = new Connection(command);
  return {
    contract: 1,
    name: 'elsewhere',
    features,
    start: (plan) => connection.start(plan),
    dispose: () => connection.close(),
  };
}
