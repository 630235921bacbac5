/** Starts where Node's permission model does not allow it. */
import { backend, type CommandStartError } from '@vircommand/child-process';
import { failure, planOf, requestOf, thrown } from '../plans';

const say = (error: unknown): string => {
  const { stage, code, message } = error as CommandStartError;
  return `${stage} ${code} ${message}`;
};

async function main(): Promise<void> {
  const plan = planOf(['true']);
  const first = say(await failure(backend.start(plan)));
  console.log(JSON.stringify([first, say(thrown(() => backend.startAndWaitSync?.(plan, requestOf())))]));
}

void main();
