/**
 * The part of vitest that test/shared uses, for browsers that vitest cannot drive: its own matchers, and a runner that
 * is just long enough.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  type ExpectStatic,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

const assertion = (value: unknown, message?: string) => chai.expect(value, message);
export const expect = Object.assign(
  assertion,
  chai.expect,
  Reflect.get(globalThis, ASYMMETRIC_MATCHERS_OBJECT),
) as unknown as ExpectStatic;
expect.getState = () => getState(expect);
expect.setState = (state) => setState(state, expect);

type Action = () => unknown;

interface Group {
  readonly name: string;
  readonly before: Action[];
  readonly after: Action[];
  readonly beforeEach: Action[];
  readonly afterEach: Action[];
  readonly parts: (Group | { readonly name: string; readonly test: Action })[];
}

const newGroup = (name: string): Group => ({
  name,
  before: [],
  after: [],
  beforeEach: [],
  afterEach: [],
  parts: [],
});
const top = newGroup('');
let current = top;

function addGroup(name: string, body: Action): void {
  const outer = current;
  current = newGroup(name);
  outer.parts.push(current);
  body();
  current = outer;
}

const addTest = (name: string, test: Action): void => {
  current.parts.push({ name, test });
};

type Body = (...values: never[]) => unknown;

/** `describe.each(rows)(name, body)`: a row that is a list gives the arguments, anything else is the only one. */
const each =
  (add: (name: string, body: Action) => void) =>
  (rows: readonly unknown[]) =>
  (name: string, body: Body): void => {
    for (const row of rows) {
      const values = (Array.isArray(row) ? row : [row]) as never[];
      let next = 0;
      const title = name.replace(/%[sdifjo]/g, () => String(values[next++]));
      add(title, () => body(...values));
    }
  };

export const describe = Object.assign(addGroup, { each: each(addGroup) });
export const it = Object.assign(addTest, { each: each(addTest) });
export const test = it;
export const beforeAll = (action: Action): void => void current.before.push(action);
export const afterAll = (action: Action): void => void current.after.push(action);
export const beforeEach = (action: Action): void => void current.beforeEach.push(action);
export const afterEach = (action: Action): void => void current.afterEach.push(action);

export interface Outcome {
  passed: number;
  failures: string[];
}

/** Runs everything that was described. */
export async function runAll(): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, failures: [] };
  await runGroup(top, [], outcome);
  return outcome;
}

async function runGroup(group: Group, path: readonly Group[], outcome: Outcome): Promise<void> {
  const groups = [...path, group];
  const title = (name: string) => [...groups.map((one) => one.name), name].filter(Boolean).join(' > ');
  const attempt = async (name: string, actions: readonly Action[]): Promise<boolean> => {
    try {
      for (const action of actions) await action();
      return true;
    } catch (error) {
      outcome.failures.push(`${title(name)}: ${error instanceof Error ? (error.stack ?? error) : error}`);
      return false;
    }
  };
  if (await attempt('beforeAll', group.before))
    for (const part of group.parts) {
      if (!('test' in part)) {
        await runGroup(part, groups, outcome);
        continue;
      }
      const before = groups.flatMap((one) => one.beforeEach);
      const passed = await attempt(part.name, [...before, part.test]);
      const cleared = await attempt(part.name, groups.flatMap((one) => one.afterEach).reverse());
      if (passed && cleared) outcome.passed++;
    }
  await attempt('afterAll', group.after);
}
