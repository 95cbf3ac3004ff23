/** Distributions on webgpu: the same samples, densities and gradients as on the CPU, without waiting in between. */
import { expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { distributions as D, type Tensor } from '../../src/index.ts';
import { distance } from '../support/compareDevices.ts';
import {
  type Described,
  type Drawn,
  distribution,
  loadExpected,
  tensor,
} from '../support/distributionCases.ts';
import { webgpuMissing } from '../support/webgpu.ts';

const missing = await webgpuMissing();
const { cases, divergences } = await loadExpected();
/** A GPU has no float64, and SwiftShader takes long to compile: the last case of each class. */
const single = cases.filter(({ spec }) => !JSON.stringify(spec).includes('float64'));
const chosen = single.filter(
  (one, i) => !single.slice(i + 1).some(({ spec }) => spec.type === one.spec.type),
);

async function expectClose(got: Tensor, { data }: Described, what: string): Promise<void> {
  expect(got.device, what).toBe('webgpu');
  const wanted = data.map((x) => Number(String(x).replace('inf', 'Infinity')));
  expect(distance(await got.read(), wanted), what).toBeLessThan(1e-4);
}

it.skipIf(missing !== null)(
  'samples, densities, entropies and divergences are those of the CPU',
  async () => {
    torch.setDefaultDevice('webgpu');
    const answers: Promise<void>[] = [];
    try {
      for (const { spec, repr, sample, rsample, logProb, entropy } of chosen) {
        // Decomposes a computed matrix.
        if (spec.type === 'LowRankMultivariateNormal') {
          expect(() => distribution(spec, [], 'webgpu')).toThrow(torch.DeviceError);
          continue;
        }
        const d = distribution(spec, [], 'webgpu');
        const { shape, result } = (rsample ?? sample).at(
          rsample?.length === 1 || sample.length === 1 ? 0 : 1,
        ) as Drawn;
        torch.manualSeed(7);
        // Made of parameters, most of them computed, whose values would have to be awaited.
        if (
          /^(Chi2|Beta|StudentT|Binomial|NegativeBinomial|FisherSnedecor|LKJCholesky|VonMises|Wishart)$/.test(
            spec.type,
          )
        )
          expect(() => d.sample(shape)).toThrow(torch.DeviceError);
        else
          answers.push(expectClose(rsample ? d.rsample(shape) : d.sample(shape), result, `${repr}: sample`));
        const [{ value, result: density }] = logProb;
        answers.push(expectClose(d.logProb(tensor(value as Described, [], 'webgpu')), density, repr));
        if (entropy) answers.push(expectClose(d.entropy(), entropy.result, `${repr}: entropy`));
      }
      for (const { p, q, result } of divergences.slice(0, 4)) {
        const found = D.klDivergence(distribution(p, [], 'webgpu'), distribution(q, [], 'webgpu'));
        answers.push(expectClose(found, result, `${p.type}, ${q.type}`));
      }
    } finally {
      torch.setDefaultDevice('cpu');
    }
    await Promise.all(answers);
  },
);

it.skipIf(missing !== null)('computed probabilities are drawn by, and trained, without waiting', async () => {
  const train = (device: string): Tensor[] => {
    torch.manualSeed(3);
    const weight = torch.randn(4, 3).to(device).requiresGrad_();
    const state = torch.randn(8, 4).to(device);
    const arms = new D.Categorical({ logits: state.matmul(weight) });
    const coins = new D.Bernoulli({ logits: state.matmul(weight) });
    const [action, more, toss] = [arms.sample(), arms.sample([5]), coins.sample([2])];
    const steps = new D.Normal(state.matmul(weight), 0.5).rsample();
    const loss = arms.logProb(action).mean().add(coins.logProb(toss).mean()).add(steps.square().mean());
    loss.backward();
    return [action, more, toss, loss, weight.grad as Tensor];
  };
  const wanted = train('cpu');
  for (const [i, got] of train('webgpu').entries()) {
    expect(got.device).toBe('webgpu');
    expect(distance(await got.read(), wanted[i].data)).toBeLessThan(1e-5);
  }
});

it.skipIf(missing !== null)('divergences compare the transforms of inverses without reading', async () => {
  const divergence = (device: string): Tensor => {
    const rate = torch.tensor([0.5, 2], { device });
    return D.klDivergence(new D.InverseGamma(rate, 1), new D.InverseGamma(2, rate));
  };
  expect(distance(await divergence('webgpu').read(), divergence('cpu').data)).toBeLessThan(1e-5);
});

it.skipIf(missing !== null)('values are not checked, and printed without them; shapes are', () => {
  const scale = torch.tensor([-1], { device: 'webgpu' });
  expect(String(new D.Normal(0, scale))).toMatch(
    /^Normal\(loc: tensor\(\.\.\., device='webgpu', size=\(1,\)\)/,
  );
  const normal = new D.Normal(torch.zeros(2, { device: 'webgpu' }), 1);
  expect(() => normal.logProb(scale.expand([3]))).toThrow('Value is not broadcastable');
});
