import { start } from './tfjs.mjs';

export const create = () => start('cpu', 1);
