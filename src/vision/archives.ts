/** The published data sets: their files, where these are, and how to know them. */

export interface ArchiveFile {
  /** Without `.gz`. */
  readonly name: string;
  /** MD5 of the published .gz file. */
  readonly md5: string;
}

export interface Archive {
  readonly name: string;
  readonly classes: readonly string[];
  /** Folders that serve the .gz files, the first is asked first. */
  readonly mirrors: readonly string[];
  readonly train: { readonly images: ArchiveFile; readonly labels: ArchiveFile };
  readonly test: { readonly images: ArchiveFile; readonly labels: ArchiveFile };
}

const TRAIN_IMAGES = 'train-images-idx3-ubyte';
const TRAIN_LABELS = 'train-labels-idx1-ubyte';
const TEST_IMAGES = 't10k-images-idx3-ubyte';
const TEST_LABELS = 't10k-labels-idx1-ubyte';

export const digits: Archive = {
  name: 'MNIST',
  classes: [
    '0 - zero',
    '1 - one',
    '2 - two',
    '3 - three',
    '4 - four',
    '5 - five',
    '6 - six',
    '7 - seven',
    '8 - eight',
    '9 - nine',
  ],
  mirrors: [
    'https://ossci-datasets.s3.amazonaws.com/mnist/',
    'https://storage.googleapis.com/cvdf-datasets/mnist/',
  ],
  train: {
    images: { name: TRAIN_IMAGES, md5: 'f68b3c2dcbeaaa9fbdd348bbdeb94873' },
    labels: { name: TRAIN_LABELS, md5: 'd53e105ee54ea40749a09fcbcd1e9432' },
  },
  test: {
    images: { name: TEST_IMAGES, md5: '9fb629c4189551a2d022fa330f9573f3' },
    labels: { name: TEST_LABELS, md5: 'ec29112dd5afa0611ce80d1b7f02629c' },
  },
};

export const clothes: Archive = {
  name: 'FashionMNIST',
  classes: [
    'T-shirt/top',
    'Trouser',
    'Pullover',
    'Dress',
    'Coat',
    'Sandal',
    'Shirt',
    'Sneaker',
    'Bag',
    'Ankle boot',
  ],
  mirrors: [
    'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
  ],
  train: {
    images: { name: TRAIN_IMAGES, md5: '8d4fb7e6c68d591d4c3dfef9ec88bf0d' },
    labels: { name: TRAIN_LABELS, md5: '25c81989df183df01b3e8a0aad5dffbe' },
  },
  test: {
    images: { name: TEST_IMAGES, md5: 'bef4ecab320f06d8554ea6380940ec79' },
    labels: { name: TEST_LABELS, md5: 'bb300cfdad3c16e7a12a480ee83cd310' },
  },
};
