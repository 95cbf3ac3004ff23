/** Names of the golden files that the API does not have yet. A name that appears in the API must leave this list. */
export const notYet: readonly string[] = [];
