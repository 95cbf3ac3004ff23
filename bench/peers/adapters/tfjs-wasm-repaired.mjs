import { start } from './tfjs.mjs';

export const create = (/** @type {number} */ threads) => start('wasm', threads, { repaired: true });
