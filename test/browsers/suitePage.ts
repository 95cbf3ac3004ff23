/** The suites of test/shared in a page. The build replaces vitest by the few lines of vitest.ts. */
import { type Outcome, runAll } from './vitest.ts';

const suites = import.meta.glob(
  '../shared/{autograd,data,nn,nnStructured,ops,opsShapes,optim,pool,printing,random,rng}.test.ts',
);

async function run(): Promise<Outcome> {
  for (const load of Object.values(suites)) await load();
  return runAll();
}

const outcome = run().catch((error: unknown) => ({ passed: 0, failures: [String(error)] }));
outcome.then((value) => Object.assign(globalThis, { outcome: JSON.stringify(value) }));
