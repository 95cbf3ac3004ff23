/** Transforms of images against torchvision's answers and draws (test/fixtures/imageTransforms), and what they refuse. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { transforms as T, type Transform } from '../../src/vision/index.ts';
import expected from '../fixtures/imageTransforms/expected.json' with { type: 'json' };

const tensor = (value: number) => torch.tensor(value, { dtype: 'float64' });
const image = ({ shape, values }: { shape: number[]; values: number[] }) =>
  torch.tensor(values).reshape(shape);
const colours = image(expected.colours);
const grey = image(expected.grey);
const bytes = colours.mul(255).to('uint8');

type Made = [transform: Transform, image: torch.Tensor];
const made: { readonly [name in keyof typeof expected.cases]: Made } = {
  'resize, shorter edge': [T.resize(6), colours],
  'resize, both': [T.resize([5, 20]), colours],
  'resize, no longer than': [T.resize(6, { maxSize: 7 }), colours],
  'resize, bicubic': [T.resize([4, 7], 'bicubic'), colours],
  'resize, nearest': [T.resize([4, 7], 'nearest'), colours],
  'resize without antialias': [T.resize([4, 7], { antialias: false }), colours],
  'resize bytes': [T.resize([4, 7]), bytes],
  'resize bytes, bicubic': [T.resize([4, 7], { interpolation: 'bicubic' }), bytes],
  'centre crop': [T.centerCrop([4, 5]), grey],
  'centre crop beyond': [T.centerCrop([11, 4]), grey],
  'vertical flip': [T.randomVerticalFlip(), grey],
  'resized crop': [T.randomResizedCrop(6), colours],
  'resized crop, other shapes': [T.randomResizedCrop([4, 8], { scale: [0.5, 2], ratio: [3, 4] }), colours],
  rotation: [T.randomRotation(40), grey],
  'rotation, bilinear': [T.randomRotation([10, 80], { interpolation: 'bilinear', fill: 0.5 }), colours],
  'rotation, expanded': [T.randomRotation(50, { expand: true, fill: [0.1, 0.2, 0.3] }), colours],
  'rotation about a corner': [T.randomRotation(30, { center: [0, 0] }), grey],
  'rotation of bytes': [T.randomRotation(30, 'bilinear'), bytes],
  affine: [T.randomAffine(20, [0.2, 0.3], [0.7, 1.4], 15), grey],
  'affine, bilinear': [
    T.randomAffine(0, { shear: [-10, 10, -20, 20], interpolation: 'bilinear', fill: 1 }),
    colours,
  ],
  grey: [T.grayscale(), colours],
  'grey, three channels': [T.grayscale(3), bytes],
  'maybe grey': [T.randomGrayscale(0.5), colours],
  'colour jitter': [T.colorJitter(0.5, 0.4, 0.3, 0.2), colours],
  'colour jitter of bytes': [T.colorJitter({ brightness: [0.5, 2], hue: 0.3 }), bytes],
  'colour jitter of grey': [T.colorJitter(0.5, 0.4, 0.3, 0.2), grey],
  blur: [T.gaussianBlur(3), colours],
  'blur, wide': [T.gaussianBlur([5, 3], { sigma: 1.5 }), bytes],
  erased: [T.randomErasing(), colours],
  'erased with noise': [T.randomErasing(1, { scale: [0.2, 0.4], value: 'random' }), colours],
  'erased with a colour': [T.randomErasing(1, { ratio: [0.5, 2], value: [0.1, 0.2, 0.3] }), colours],
  'several maybe': [T.randomApply([T.randomHorizontalFlip(1), T.gaussianBlur(3)], { p: 0.6 }), grey],
};

/** JavaScript does not tell 1.0 from 1. */
const wholeNumbers = (text: string) => text.replace(/(\d)\.0(?!\d)/g, '$1');

describe('transforms of images', () => {
  it.each(Object.entries(expected.cases))('%s is torchvision’s', (name, { text, runs, after }) => {
    const [transform, given] = made[name as keyof typeof made];
    const before = given.clone();
    expect(wholeNumbers(String(transform))).toBe(wholeNumbers(text));
    torch.manualSeed(11);
    for (const { shape, values } of runs) {
      const got = transform.apply(given);
      expect([got.shape, got.dtype]).toEqual([shape, given.dtype]);
      const off = [...got.data].map((value, i) => Math.abs(Number(value) - values[i]));
      // A byte may fall on the other side of a half.
      expect(Math.max(...off)).toBeLessThanOrEqual(given.dtype === 'uint8' ? 1 : 2e-5);
      expect(off.filter((each) => each >= 1).length).toBeLessThan(off.length / 20);
    }
    expect(torch.rand(1).item()).toBeCloseTo(after, 6);
    expect(given.equal(before)).toBe(true);
  });

  it('turn by right angles and about other points as torchvision, in batches too', () => {
    const x = torch.arange(1, 7).float().reshape(1, 3, 2);
    expect(T.randomRotation([90, 90], { expand: true }).apply(x).toArray()).toEqual([
      [
        [0, 0, 0, 0],
        [1, 1, 5, 5],
        [1, 1, 5, 5],
      ],
    ]);
    expect(
      T.randomRotation([30, 30], { expand: true, center: [0, 0] })
        .apply(x)
        .toArray(),
    ).toEqual([
      [
        [0, 1, 2, 0],
        [0, 0, 3, 6],
        [0, 0, 5, 6],
        [0, 0, 0, 0],
      ],
    ]);
    const far = T.randomRotation([180, 180], { center: [9, 9], fill: [7, 8] });
    expect(
      far
        .apply(torch.zeros(2, 2, 1, 1))
        .flatten()
        .toArray(),
    ).toEqual([7, 8, 7, 8]);
    const third = tensor(1 / 3).expand([1, 2, 2]);
    expect(T.randomRotation([45, 45], 'bilinear').apply(third)).toHaveProperty('dtype', 'float64');
    expect(T.randomRotation([0, 0], 'bilinear').apply(third).max().item()).toBe(1 / 3);
  });

  it('print floats where torchvision has them', () => {
    expect(String(T.randomAffine(0, { shear: 5 }))).toBe(
      'RandomAffine(degrees=[0.0, 0.0], shear=[-5.0, 5.0])',
    );
    expect(String(T.colorJitter(0.5, [0, 1]))).toBe(
      'ColorJitter(brightness=(0.5, 1.5), contrast=(0.0, 1.0), saturation=None, hue=None)',
    );
    expect(String(T.gaussianBlur(3))).toBe('GaussianBlur(kernel_size=(3, 3), sigma=(0.1, 2.0))');
    expect(String(T.randomResizedCrop(6))).toContain('scale=(0.08, 1.0), ratio=(0.75, 1.3333)');
  });

  it('ask for channels only where they are grey', () => {
    const x = torch.ones(2, 3, 3);
    expect(T.randomGrayscale(0).apply(x)).toBe(x);
    expect(() => T.randomGrayscale(1).apply(x)).toThrow(torch.ShapeError);
    expect(() => T.randomErasing(1, { value: [1, 2, 3] }).apply(x)).toThrow(
      'randomErasing: expected value to be 1 or 2 numbers, but got 3',
    );
  });

  it('refuse what makes no sense', () => {
    const { ArgumentError, ShapeError } = torch;
    expect(() => T.resize(0)).toThrow('resize: size must be positive whole numbers, but got 0');
    expect(() => T.resize([4, 4], { maxSize: 9 })).toThrow('maxSize needs a size that is a number');
    expect(() => T.resize(4, { maxSize: 4 })).toThrow('maxSize must be larger than the size 4');
    expect(() => T.resize(4, 'area' as 'nearest')).toThrow(
      'interpolation must be one of nearest, nearest-exact',
    );
    expect(() => T.randomRotation(-3)).toThrow(
      'degrees, as a single number, must not be negative, but got -3',
    );
    expect(() => T.randomRotation([3, 1])).toThrow('degrees must be two numbers, the smaller one first');
    expect(() => T.randomRotation(3, { fill: [1, 2] }).apply(grey)).toThrow(
      'fill: expected 1 or 1 numbers, but got 2',
    );
    expect(() => T.randomAffine(0, { translate: [2, 0] })).toThrow(ArgumentError);
    expect(() => T.randomAffine(0, { shear: [1, 2, 3] })).toThrow('shear must be 1, 2 or 4 numbers');
    expect(() => T.colorJitter({ hue: 0.6 })).toThrow('hue must be between -0.5 and 0.5');
    expect(() => T.colorJitter({ contrast: -1 })).toThrow(ArgumentError);
    expect(() => T.grayscale(2 as 1)).toThrow('numOutputChannels must be 1 or 3, but got 2');
    expect(() => T.grayscale().apply(torch.ones(2, 4, 4))).toThrow(ShapeError);
    expect(() => T.gaussianBlur(4)).toThrow('kernelSize must be odd and positive, but got 4');
    expect(() => T.randomErasing(2)).toThrow('randomErasing: p must be in [0, 1], but got 2');
    expect(() => T.randomApply([], { q: 1 } as object)).toThrow(ArgumentError);
  });
});
