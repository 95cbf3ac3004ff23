/** Image data sets from bytes, their batches, and the transforms: values, draws and texts as torchvision's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ArgumentError,
  DataError,
  DTypeError,
  data,
  IndexError,
  manualSeed,
  rand,
  randint,
  ShapeError,
  setDefaultDevice,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import { FashionMNIST, MNIST, transforms } from '../../src/vision/index.ts';
import { md5 } from '../../src/vision/md5.ts';
import { gzipped, IMAGE_BYTES, imagesFile, labelsFile, labelsOf, pixelsOf } from '../support/idxFiles.ts';

const COUNT = 12;
const files = { images: imagesFile(COUNT), labels: labelsFile(COUNT) };
const pixels = pixelsOf(COUNT);
const labels = Array.from(labelsOf(COUNT));
const imageBytes = (i: number) => Array.from(pixels.subarray(i * IMAGE_BYTES, (i + 1) * IMAGE_BYTES));
const values = (x: Tensor) => Array.from<number | bigint>(x.data);
const f = Math.fround;
const { compose, lambda, normalize, pad, randomCrop, randomHorizontalFlip, toTensor } = transforms;

describe.each(['cpu', 'reference'])('MNIST on %s', (device) => {
  beforeAll(() => setDefaultDevice(device));
  afterAll(() => setDefaultDevice('cpu'));

  it('keeps bytes, and gives images and labels', async () => {
    const set = await MNIST(files);
    expect([set.length, set.data.dtype, set.data.shape, set.data.device]).toEqual([
      COUNT,
      'uint8',
      [COUNT, 28, 28],
      device,
    ]);
    expect([set.targets.dtype, set.targets.toArray()]).toEqual(['int64', labels]);
    const [image, label] = set.get(3);
    expect([image.dtype, image.shape, label]).toEqual(['uint8', [28, 28], labels[3]]);
    expect(values(image)).toEqual(imageBytes(3));
    expect(set.get(-1)[1]).toBe(labels[COUNT - 1]);
    image.fill_(1);
    expect(values(set.get(3)[0])).toEqual(imageBytes(3));
    const [images, targets] = set.getBatch!(Int32Array.of(3, 0));
    expect([images.dtype, images.shape, targets.toArray()]).toEqual([
      'uint8',
      [2, 28, 28],
      [labels[3], labels[0]],
    ]);
  });

  it('divides by 255 as float32 does, single images and batches', async () => {
    const set = await MNIST({ ...files, transform: toTensor() });
    const expected = (i: number) => imageBytes(i).map((byte) => f(byte / 255));
    const [image, label] = set.get(1);
    expect([image.dtype, image.shape, label]).toEqual(['float32', [1, 28, 28], labels[1]]);
    expect(values(image)).toEqual(expected(1));
    const [images, targets] = set.getBatch!(Int32Array.of(2, 0, 2));
    expect([images.shape, images.device, targets.dtype]).toEqual([[3, 1, 28, 28], device, 'int64']);
    expect(values(images)).toEqual([2, 0, 2].flatMap(expected));
    expect(values(targets)).toEqual([2, 0, 2].map((i) => BigInt(labels[i])));
  });

  it('normalises as PyTorch does: subtract, divide, each rounded', async () => {
    const set = await MNIST({ ...files, transform: compose([toTensor(), normalize(0.1307, [0.3081])]) });
    const [images] = set.getBatch!(Int32Array.of(4));
    const expected = imageBytes(4).map((byte) => f(f(f(byte / 255) - f(0.1307)) / f(0.3081)));
    expect(values(images)).toEqual(expected);
    expect(values(set.get(4)[0])).toEqual(expected);
  });

  it.each(
    Object.entries({
      none: null,
      toTensor: toTensor(),
      'toTensor, normalize': compose([toTensor(), normalize([0.5], [0.25])]),
      'two normalisations, nested': compose([
        compose([toTensor(), normalize(0.5, 0.5)]),
        compose([normalize(0.1, 2)]),
      ]),
      'random steps behind': compose([
        toTensor(),
        randomCrop(28, { padding: 3 }),
        randomHorizontalFlip(),
        (x: Tensor) => x.mul(2),
      ]),
      'three channels': compose([toTensor(), normalize([0.1, 0.2, 0.3], [1, 2, 3])]),
    }),
  )('makes of a batch what it makes of its images: %s', async (_name, transform) => {
    const set = await MNIST({ ...files, transform });
    const picks = Int32Array.of(7, 1, 1, 11);
    manualSeed(5);
    const singles = data.defaultCollate(Array.from(picks, (i) => set.get(i)));
    manualSeed(5);
    const batch = set.getBatch!(picks);
    for (const [i, x] of batch.entries()) {
      expect([x.dtype, x.shape]).toEqual([singles[i].dtype, singles[i].shape]);
      expect(values(x)).toEqual(values(singles[i]));
    }
  });

  it('leaves other transforms to the loader, which gives typed batches', async () => {
    const set = await MNIST({
      ...files,
      transform: (image) => image.float().mean(),
      targetTransform: (label) => ({ odd: label % 2 === 1 }),
    });
    expect(set.getBatch).toBeUndefined();
    const sizes: number[] = [];
    for (const [images, { odd }] of new data.DataLoader(set, { batchSize: 8 })) {
      expect([images.dtype, odd.dtype]).toEqual(['float32', 'bool']);
      sizes.push(images.size(0), odd.numel());
    }
    expect(sizes).toEqual([8, 8, 4, 4]);
  });

  it('goes through subsets and loaders in their order', async () => {
    const set = await MNIST({ ...files, transform: toTensor() });
    manualSeed(1);
    const [part] = data.randomSplit(set, [8, 4]);
    const seen: number[] = [];
    for (const [images, targets] of new data.DataLoader(part, { batchSize: 3 })) {
      expect(images.shape.slice(1)).toEqual([1, 28, 28]);
      seen.push(...(targets.toArray() as number[]));
    }
    expect(seen).toEqual(Array.from(part.indices, (i) => labels[i]));
  });

  it('refuses indices outside', async () => {
    const set = await MNIST({ ...files, transform: toTensor() });
    for (const index of [COUNT, -COUNT - 1, 0.5, Number.NaN]) {
      expect(() => set.get(index)).toThrow(IndexError);
    }
    expect(() => set.getBatch!(Int32Array.of(0, COUNT))).toThrow(
      `MNIST.getBatch: index ${COUNT} is out of range for a data set of ${COUNT} samples`,
    );
    expect(set.getBatch!(Int32Array.of(-1))[1].toArray()).toEqual([labels[COUNT - 1]]);
    expect(set.getBatch!(new Int32Array())[0].shape).toEqual([0, 1, 28, 28]);
  });
});

describe('the files in memory', () => {
  it('may be plain or in gzip, and of any kind', async () => {
    const packed = { images: await gzipped(files.images), labels: await gzipped(files.labels) };
    const sources = [
      [files.images.buffer, files.labels.buffer],
      [packed.images, new DataView(packed.labels.buffer)],
      [new Blob([packed.images]), new Blob([files.labels])],
      [
        `data:;base64,${btoa(String.fromCharCode(...packed.images))}`,
        URL.createObjectURL(new Blob([files.labels])),
      ],
    ];
    for (const [images, labelFile] of sources) {
      const set = await MNIST({ images, labels: labelFile });
      expect(set.targets.toArray()).toEqual(labels);
      expect(values(set.data)).toEqual(Array.from(pixels));
    }
  });

  it('are both needed, or a root', async () => {
    await expect(MNIST({ images: files.images })).rejects.toThrow(ArgumentError);
    await expect(MNIST({})).rejects.toThrow(/expected root/);
  });

  it('must belong together and hold the classes', async () => {
    const other = { images: files.images, labels: labelsFile(COUNT - 1) };
    await expect(FashionMNIST(other)).rejects.toThrow(
      /FashionMNIST: .*12 images and .*11 labels: the files do not belong together/,
    );
    const odd = labelsFile(COUNT);
    odd[8 + 4] = 10;
    const failure = MNIST({ images: files.images, labels: odd });
    await expect(failure).rejects.toThrow(DataError);
    await expect(failure).rejects.toThrow('labels from 0 to 9 in train-labels-idx1-ubyte, but label 4 is 10');
  });
});

describe('texts', () => {
  it('of data sets are those of torchvision', async () => {
    expect(String(await FashionMNIST({ ...files, train: false }))).toBe(
      'Dataset FashionMNIST\n    Number of datapoints: 12\n    Split: Test',
    );
    const transform = compose([toTensor(), normalize([0.1307], [0.3081])]);
    const double = (label: number) => label * 2;
    expect(String(await MNIST({ ...files, root: 'data', transform, targetTransform: double }))).toBe(
      [
        'Dataset MNIST',
        '    Number of datapoints: 12',
        '    Root location: data',
        '    Split: Train',
        '    StandardTransform',
        'Transform: Compose(',
        '               ToTensor()',
        '               Normalize(mean=[0.1307], std=[0.3081])',
        '           )',
        'Target transform: <function double>',
      ].join('\n'),
    );
  });

  it('of transforms too', () => {
    expect(
      [
        pad(2),
        pad([1, 2], { fill: 9 }),
        randomCrop(24),
        randomCrop([20, 24], { padding: 4 }),
        randomHorizontalFlip(),
        lambda((x) => x),
        normalize([0.5, 1], [1, 0.25]),
      ].map(String),
    ).toEqual([
      'Pad(padding=2, fill=0, padding_mode=constant)',
      'Pad(padding=(1, 2), fill=9, padding_mode=constant)',
      'RandomCrop(size=(24, 24), padding=None)',
      'RandomCrop(size=(20, 24), padding=4)',
      'RandomHorizontalFlip(p=0.5)',
      'Lambda()',
      'Normalize(mean=[0.5, 1], std=[1, 0.25])',
    ]);
  });
});

describe('transforms', () => {
  const square = tensor(Uint8Array.of(1, 2, 3, 4)).reshape(2, 2);

  it('take colour images, channels last', () => {
    const image = tensor(Uint8Array.of(0, 51, 255, 255, 0, 102)).reshape(1, 2, 3);
    const planes = [[[0, 1]], [[f(0.2), 0]], [[1, f(0.4)]]];
    expect(toTensor().apply(image).toArray()).toEqual(planes);
    const scaled = normalize([0, 0.5, 0], [1, 1, 2]).apply(toTensor().apply(image));
    expect(scaled.select(0, 2).toArray()).toEqual([[0.5, f(0.4) / 2]]);
    expect(scaled.select(0, 1).toArray()).toEqual([[f(f(0.2) - 0.5), -0.5]]);
  });

  it('pad: all sides, pairs, or left, top, right, bottom', () => {
    expect(pad(1, { fill: 7 }).apply(square).shape).toEqual([4, 4]);
    expect(pad([1, 0]).apply(square).toArray()).toEqual([
      [0, 1, 2, 0],
      [0, 3, 4, 0],
    ]);
    expect(pad([1, 0, 0, 1], { fill: 9 }).apply(square).toArray()).toEqual([
      [9, 1, 2],
      [9, 3, 4],
      [9, 9, 9],
    ]);
  });

  it('crop at the row and column that the generator draws', () => {
    const image = tensor(Float32Array.from({ length: 6 * 7 }, (_, i) => i)).reshape(1, 6, 7);
    const crop = randomCrop([3, 2]);
    manualSeed(11);
    const places = Array.from({ length: 20 }, () => [randint(0, 4, [1]).item(), randint(0, 6, [1]).item()]);
    expect(new Set(places.map(([row]) => row)).size).toBeGreaterThan(2);
    manualSeed(11);
    for (const [row, column] of places) {
      const window = crop.apply(image);
      expect(window.shape).toEqual([1, 3, 2]);
      expect(values(window)).toEqual([0, 1, 2].flatMap((i) => [0, 1].map((j) => (row + i) * 7 + column + j)));
    }
    manualSeed(11);
    const next = rand(1).item();
    manualSeed(11);
    expect(randomCrop([6, 7]).apply(image).toArray()).toEqual(image.toArray());
    expect(rand(1).item()).toBe(next);
  });

  it('mirror when the number drawn is below p', () => {
    const mirrored = [
      [2, 1],
      [4, 3],
    ];
    manualSeed(2);
    const draws = Array.from({ length: 30 }, () => rand(1).item() < 0.3);
    expect(new Set(draws).size).toBe(2);
    manualSeed(2);
    for (const drawn of draws) {
      const image = randomHorizontalFlip(0.3).apply(square);
      expect(image.toArray()).toEqual(drawn ? mirrored : square.toArray());
    }
    expect(randomHorizontalFlip(1).apply(square).toArray()).toEqual(mirrored);
  });

  it('refuse what they cannot do', () => {
    expect(() => normalize([0.1], [])).toThrow(ArgumentError);
    expect(() => normalize(0.1, 0)).toThrow(ArgumentError);
    expect(() => normalize(Number.NaN, 1)).toThrow(ArgumentError);
    expect(() => normalize(0.1, 1).apply(square)).toThrow(DTypeError);
    expect(() => normalize(0.1, 1).apply(square.float())).toThrow(ShapeError);
    expect(() => toTensor().apply(square.float())).toThrow(DTypeError);
    expect(() => toTensor().apply(square.flatten())).toThrow(ShapeError);
    expect(() => pad(-1)).toThrow(ArgumentError);
    expect(() => randomCrop(0)).toThrow(ArgumentError);
    expect(() => randomCrop(3).apply(square)).toThrow(
      'Required crop size (3, 3) is larger than input image size (2, 2)',
    );
    expect(() => randomHorizontalFlip(2)).toThrow(ArgumentError);
  });
});

describe('md5', () => {
  it.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
    [
      '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
      '57edf4a22be3c955ac49da2e2107b67a',
    ],
  ])('of %j is that of RFC 1321', (text, digest) => {
    expect(md5(new TextEncoder().encode(text))).toBe(digest);
  });
});
