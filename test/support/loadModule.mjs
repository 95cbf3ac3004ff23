/**
 * A module whose place only a run knows: a package that is there or not.
 * @param {string} address
 */
export const loadModule = (address) => import(/* @vite-ignore */ address);
