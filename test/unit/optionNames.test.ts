/** Names of options that are none: refused, with the name that is meant; and the list of those that are, complete. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { data, nn, optim } from '../../src/index.ts';
import { OPTION_NAMES } from '../../src/ops/optionNames.ts';

const F = nn.functional;
const untyped = (x: unknown) => x as never;
const x = torch.ones(4, 4);
const weight = () => torch.ones(1, { requiresGrad: true });

/** Folders whose options are not checked by name, as they are not PyTorch's. */
const OTHERS = [
  'backend',
  'plot',
  'distributed',
  'serve',
  'node',
  'profiler',
  'generated',
  'io',
  'training',
  'vision',
];
/** Members of such interfaces that are no options of a user. */
const INTERNAL = ['array', 'names', 'observed', 'targets', 'whole', 'm', 'theme', 'title', 'code', 'profile'];

/** The members of all interfaces and types that are called options or settings. */
function declared(): Map<string, string> {
  const found = new Map<string, string>();
  const files = fs
    .readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'));
  for (const file of files) {
    if (OTHERS.includes(file.split(path.sep)[0])) continue;
    const text = fs.readFileSync(path.join('src', file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    for (const [, body] of text.matchAll(
      /(?:interface|type) \w*(?:Options|Settings)\b[^{;]*\{([\s\S]*?)\n\}/g,
    ))
      for (const [, name] of body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)) found.set(name, file);
  }
  return found;
}

describe('names of options', () => {
  const known = new Set(OPTION_NAMES.split(' '));

  it('are all known', () => {
    const options = declared();
    expect(options.size).toBeGreaterThan(200);
    const missing = [...options].filter(([name]) => !known.has(name) && !INTERNAL.includes(name));
    expect(missing).toEqual([]);
    expect(OPTION_NAMES.split(' ').length).toBe(known.size);
  });

  it('are none that the sources do not have', () => {
    const text = fs
      .readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('optionNames.ts'))
      .map((file) => fs.readFileSync(path.join('src', file), 'utf8'))
      .join('\n');
    expect([...known].filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
  });

  it.each<[string, () => unknown, string]>([
    ['sum', () => x.sum(untyped({ axis: 1 })), "there is no option 'axis'; is dim meant?"],
    ['argmax', () => x.argmax(untyped({ keepdims: true })), 'is keepdim meant?'],
    ['sort', () => x.sort(untyped({ decending: true })), 'is descending meant?'],
    ['topk', () => x.topk(2, untyped({ larges: false })), 'is largest meant?'],
    ['zeros', () => torch.zeros(2, untyped({ dtpye: 'int64' })), 'is dtype meant?'],
    ['tensor', () => torch.tensor([1], untyped({ requires: true })), "there is no option 'requires'"],
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
    ['LSTM', () => new nn.LSTM(1, 1, untyped({ layers: 2 })), "there is no option 'layers'"],
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
