/** Names of options that are none: refused, with the name that is meant, or with those that there are. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { data, nn, optim } from '../../src/index.ts';

const F = nn.functional;
const untyped = (x: unknown) => x as never;
const x = torch.ones(4, 4);
const weight = () => torch.ones(1, { requiresGrad: true });

describe('names of options', () => {
  it.each<[string, () => unknown, string]>([
    ['sum', () => x.sum(untyped({ axis: 1 })), "there is no option 'axis'; is dim meant?"],
    ['argmax', () => x.argmax(untyped({ keepdims: true })), 'is keepdim meant?'],
    ['sort', () => x.sort(untyped({ decending: true })), 'is descending meant?'],
    ['topk', () => x.topk(2, untyped({ larges: false })), 'is largest meant?'],
    ['zeros', () => torch.zeros(2, untyped({ dtpye: 'int64' })), 'is dtype meant?'],
    [
      'tensor',
      () => torch.tensor([1], untyped({ requires: true })),
      "tensor: got an unexpected option 'requires'; it has dtype, device, requiresGrad",
    ],
    ['to', () => x.to(untyped({ devise: 'cpu' })), 'is device meant?'],
    [
      'backward',
      () =>
        weight()
          .sum()
          .backward(untyped({ retaingraph: true })),
      'is retainGraph meant?',
    ],
    ['Conv2d', () => new nn.Conv2d(1, 1, 3, untyped({ pading: 1 })), 'is padding meant?'],
    ['Linear', () => new nn.Linear(1, 1, untyped({ biass: false })), 'is bias meant?'],
    [
      'Linear by name',
      () => new nn.Linear(untyped({ inFeatures: 1, outFeatrues: 1 })),
      'is outFeatures meant?',
    ],
    ['LSTM', () => new nn.LSTM(1, 1, untyped({ layers: 2 })), "LSTM: got an unexpected option 'layers'"],
    ['ReLU', () => new nn.ReLU(untyped({ inplce: true })), 'is inplace meant?'],
    ['Flatten', () => new nn.Flatten(untyped({ startdim: 1 })), 'is startDim meant?'],
    [
      'conv2d',
      () => F.conv2d(x.view(1, 1, 4, 4), x.view(1, 1, 4, 4), untyped({ strides: 1 })),
      'is stride meant?',
    ],
    ['mseLoss', () => F.mseLoss(x, x, untyped({ reductions: 'sum' })), 'is reduction meant?'],
    ['softmax', () => F.softmax(x, untyped({ axis: 1 })), 'is dim meant?'],
    ['DataLoader', () => new data.DataLoader([1], untyped({ batchsize: 2 })), 'is batchSize meant?'],
    ['SGD', () => new optim.SGD([weight()], untyped({ lrate: 1 })), 'but lr, momentum'],
    [
      'CosineAnnealingLR',
      () => new optim.lrScheduler.CosineAnnealingLR(new optim.SGD([weight()]), 5, untyped({ etamin: 3 })),
      'is etaMin meant?',
    ],
    ['zeroGrad', () => new nn.Linear(1, 1).zeroGrad(untyped({ settonone: true })), 'is setToNone meant?'],
  ])('%s refuses others', (_name, call, message) => {
    expect(call).toThrow(torch.ArgumentError);
    expect(call).toThrow(message);
  });

  it('init refuses others', async () => {
    await expect(torch.init(untyped({ thread: 1 }))).rejects.toThrow('is threads meant?');
  });

  it('may be the user’s own in groups of parameters', () => {
    const optimizer = new optim.SGD([{ params: [weight()], label: 'head' } as { params: torch.Tensor[] }], {
      lr: 1,
    });
    expect(optimizer.paramGroups[0]).toMatchObject({ label: 'head', lr: 1 });
  });
});
