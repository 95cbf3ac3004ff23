import { training } from '../../src/training/index.ts';
import { trainAll } from './training.ts';

export default training(() => trainAll());
