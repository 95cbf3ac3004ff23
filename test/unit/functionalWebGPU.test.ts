/** Functions that are made of other ops, on webgpu: PyTorch's values and gradients, without waiting in between. */
import { expect, it } from 'vitest';
import { distance } from '../support/compareDevices.ts';
import { type FunctionalCase, gradientsOf, loadCases, run, toNumber } from '../support/functionalCases.ts';
import { webgpuMissing } from '../support/webgpu.ts';

const missing = await webgpuMissing();
const cases = await loadCases();
/** A GPU has no float64, and SwiftShader takes long to compile: the first case of each function, and one in the middle. */
const chosen = Object.entries(cases).flatMap(([name, list]): [string, FunctionalCase][] => {
  const single = list.filter((one) => one.result.data.length > 0 && !JSON.stringify(one).includes('float64'));
  return [single[0], single[single.length >> 1]].map((one) => [name, one]);
});

it.skipIf(missing !== null)('values and gradients are PyTorch’s', async () => {
  const answers = chosen.map(async ([name, one]) => {
    const { result, leaves } = run(name, one, 'webgpu');
    const pairs = [result, ...gradientsOf(result, leaves)].map((got, i) => ({
      got,
      wanted: [one.result, ...one.grads][i],
    }));
    for (const { got, wanted } of pairs) {
      if (got === null || wanted === null) expect(got).toBe(wanted);
      else {
        expect([got.device, got.shape], name).toEqual(['webgpu', wanted.shape]);
        expect(distance(await got.read(), wanted.data.map(toNumber)), name).toBeLessThan(1e-4);
      }
    }
  });
  await Promise.all(answers);
});
