/** What a case has in its hands. Whatever it opens or starts is closed or ended here, whether the case passes or not. */
import * as assert from 'node:assert/strict';
import { closeSync, mkdtempSync, read as readFd, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { CommandStartError, withBackend, type Command, type CommandConstructor, type Stage } from '@vircommand/core';
import { bindCommand, type Backend, type ChildHandle, type Feature, type LaunchPlan } from '@vircommand/core/backend';
import { helperProgram, localPaths } from './instructions';
import { openPipe } from './pipe';
import { settledTo } from './settled';
import type { CaseContext, ConformanceSubject } from './types';

const readAsync = promisify(readFd);

/** How often to look for a condition, which is for 5 s at least. A bound for what hangs, nothing to wait for. */
const patience = 270;

/** The case cannot show anything here. */
export class NotChecked extends Error {}

/** Refuses to start, and keeps the plan. */
class PlanCatcher implements Backend {
  readonly contract = 1;
  readonly name: string;
  readonly features: readonly Feature[];
  plan: LaunchPlan | undefined;

  constructor(like: Backend) {
    this.name = like.name;
    this.features = like.features;
  }

  start(plan: LaunchPlan): Promise<ChildHandle> {
    this.plan = plan;
    return Promise.reject(new Error('only the plan was asked for'));
  }
}

/** The context of one case. */
export class Context implements CaseContext {
  readonly Command: CommandConstructor;
  private started = 0;
  private readonly handles = new Set<ChildHandle>();
  private readonly cleanups: (() => void | Promise<void>)[] = [];
  private readonly fds = new Set<number>();

  constructor(
    readonly subject: ConformanceSubject,
    readonly backend: Backend,
  ) {
    this.Command = bindCommand(this.observed());
  }

  /** The backend, with every start counted and every handle kept, so that nothing outlives the case. */
  private observed(): Backend {
    const { backend } = this;
    const sync = backend.startAndWaitSync?.bind(backend);
    const exec = backend.exec?.bind(backend);
    return {
      contract: backend.contract,
      name: backend.name,
      get features() {
        return backend.features;
      },
      start: (plan) => {
        this.started++;
        return this.keep(backend.start(plan));
      },
      ...(sync === undefined
        ? {}
        : {
            startAndWaitSync: (plan, request) => {
              this.started++;
              return sync(plan, request);
            },
          }),
      ...(exec === undefined ? {} : { exec }),
      ...(backend.clock === undefined ? {} : { clock: backend.clock }),
    };
  }

  private async keep(starting: Promise<ChildHandle>): Promise<ChildHandle> {
    const handle = await starting;
    this.handles.add(handle);
    const forget = (): void => {
      this.handles.delete(handle);
    };
    handle.exited.then(forget, forget);
    return handle;
  }

  get starts(): number {
    return this.started;
  }

  has(feature: Feature): boolean {
    return this.backend.features.includes(feature);
  }

  helper(...instructions: string[]): Command {
    const { program, args } = helperProgram(instructions, { ...localPaths, ...this.subject.paths });
    return new this.Command(program, args);
  }

  pipe(): { readonly read: number; readonly write: number } {
    const ends = openPipe();
    this.fds.add(ends.read).add(ends.write);
    return ends;
  }

  closeFd(fd: number): void {
    this.fds.delete(fd);
    closeSync(fd);
  }

  giveAway(fd: number): number {
    this.fds.delete(fd);
    return fd;
  }

  async readAll(fd: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      const { bytesRead, buffer } = await readAsync(fd, Buffer.alloc(65_536), 0, 65_536, null);
      if (bytesRead === 0) return Buffer.concat(chunks);
      chunks.push(buffer.subarray(0, bytesRead));
    }
  }

  tempDir(): string {
    const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'case-')));
    this.cleanup(() => {
      rmSync(directory, { recursive: true, force: true });
    });
    return directory;
  }

  cleanup(fn: () => void | Promise<void>): void {
    this.cleanups.push(fn);
  }

  async rejectsStart(
    run: Promise<unknown> | (() => unknown),
    { stage, code, path: wrong }: Parameters<CaseContext['rejectsStart']>[1],
  ): Promise<CommandStartError> {
    let error: unknown;
    try {
      await (typeof run === 'function' ? run() : run);
      assert.fail('the program was started');
    } catch (caught) {
      error = caught;
    }
    if (!(error instanceof CommandStartError)) throw error;
    const stages: readonly Stage[] = typeof stage === 'string' ? [stage] : stage;
    assert.ok(stages.includes(error.stage), `stage '${error.stage}', expected '${stages.join("' or '")}'`);
    if (code !== undefined) assert.equal(error.code, code, `code of stage '${error.stage}'`);
    if (wrong !== undefined) assert.equal(error.path, wrong, `path of stage '${error.stage}'`);
    assert.equal(error.backend, this.backend.name);
    return error;
  }

  async planOf(command: Command): Promise<LaunchPlan> {
    const catcher = new PlanCatcher(this.backend);
    await withBackend(catcher, () => command.runAsync()).catch((error: unknown) => {
      if (catcher.plan === undefined) throw error;
    });
    assert.ok(catcher.plan !== undefined);
    return catcher.plan;
  }

  async start(plan: LaunchPlan): Promise<ChildHandle> {
    this.started++;
    const handle = await this.keep(this.backend.start(plan));
    this.cleanup(() => handle.dispose());
    return handle;
  }

  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    if (!(await settledTo(condition, (came) => came, patience))) assert.fail(`never came: ${what}`);
  }

  alive(pid: number): boolean {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return !/^[ZX]/.test(text.slice(text.lastIndexOf(')') + 2));
    } catch {
      if (process.platform === 'linux') return false;
    }
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }

  notChecked(reason: string): never {
    throw new NotChecked(reason);
  }

  /** Ends and closes what is left. What goes wrong here is told, after all has been tried. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    const attempt = async (fn: () => unknown): Promise<void> => {
      try {
        await fn();
      } catch (error) {
        errors.push(error);
      }
    };
    for (const handle of this.handles) {
      await attempt(() => {
        handle.dispose();
      });
    }
    for (const cleanup of this.cleanups.toReversed()) await attempt(cleanup);
    for (const fd of this.fds) {
      await attempt(() => {
        closeSync(fd);
      });
    }
    if (errors.length > 0) throw errors[0];
  }
}
