import { expect, it } from 'vitest';
import { tick } from '../../src/index.ts';

it('gives other work a turn once the budget is used up, and not before', async () => {
  await tick(0);
  let turns = 0;
  setImmediate(() => turns++);
  await tick(10_000);
  expect(turns).toBe(0);
  await tick(0);
  expect(turns).toBe(1);
});
