/** The images: those that are served with the page, or files that the user chose. */
import { data, type Tensor } from 'wasmgrad';
import { FashionMNIST, MNIST, transforms } from 'wasmgrad/vision';
import type { ChosenFiles, DatasetName } from '../protocol.ts';

type Images = data.Dataset<[Tensor, number]>;

export interface ImageSets {
  readonly train: Images;
  readonly test: Images;
  readonly classes: readonly string[];
}

const CLOTHES = [
  'T-shirt',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];
const DIGITS = Array.from({ length: 10 }, (_, i) => String(i));

const VALIDATION_COUNT = 5000;

/** Digits come with the page, below data/; clothes from the user's own four files. */
export async function loadImages(name: DatasetName, files: ChosenFiles | undefined): Promise<ImageSets> {
  const open = name === 'mnist' ? MNIST : FashionMNIST;
  const transform = transforms.toTensor();
  const load = (train: boolean) => {
    if (files === undefined) return open({ root: new URL('data/', location.href), train, transform });
    const [images, labels] = train
      ? [files.trainImages, files.trainLabels]
      : [files.testImages, files.testLabels];
    return open({ images, labels, train, transform });
  };
  const [train, test] = await Promise.all([load(true), load(false)]);
  return { train, test, classes: name === 'mnist' ? DIGITS : CLOTHES };
}

/** The training images without the last ones, which measure how well the network generalises. */
export function split({ train }: ImageSets): [Images, Images] {
  const held = Math.min(VALIDATION_COUNT, Math.floor(train.length / 10));
  const [training, validation] = data.randomSplit(train, [train.length - held, held]);
  return [training, validation];
}
