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
}

/** Images and labels in two files each. */
export interface IdxArchive extends Archive {
  readonly train: { readonly images: ArchiveFile; readonly labels: ArchiveFile };
  readonly test: { readonly images: ArchiveFile; readonly labels: ArchiveFile };
}

const TRAIN_IMAGES = 'train-images-idx3-ubyte';
const TRAIN_LABELS = 'train-labels-idx1-ubyte';
const TEST_IMAGES = 't10k-images-idx3-ubyte';
const TEST_LABELS = 't10k-labels-idx1-ubyte';

export const digits: IdxArchive = {
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

export const clothes: IdxArchive = {
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

/** Records of one or two labels and a picture, in several files of one archive. */
export interface CifarArchive extends Archive {
  /** Bytes of labels before each picture. */
  readonly labels: number;
  readonly packed: ArchiveFile;
  /** Where the files are in it. */
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
}

const TORONTO = ['https://www.cs.toronto.edu/~kriz/'];

export const cifar10: CifarArchive = {
  name: 'CIFAR10',
  classes: 'airplane automobile bird cat deer dog frog horse ship truck'.split(' '),
  mirrors: TORONTO,
  labels: 1,
  packed: { name: 'cifar-10-binary.tar', md5: 'c32a1d4ab5d03f1284b67883e8d87530' },
  folder: 'cifar-10-batches-bin',
  train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
  test: ['test_batch.bin'],
};

export const cifar100: CifarArchive = {
  name: 'CIFAR100',
  classes: (
    'apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus ' +
    'butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab ' +
    'crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo ' +
    'keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse ' +
    'mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy ' +
    'porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper ' +
    'snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television ' +
    'tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm'
  ).split(' '),
  mirrors: TORONTO,
  labels: 2,
  packed: { name: 'cifar-100-binary.tar', md5: '03b5dce01913d631647c71ecec9e9cb8' },
  folder: 'cifar-100-binary',
  train: ['train.bin'],
  test: ['test.bin'],
};
