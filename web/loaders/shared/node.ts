export const isNode = (): boolean => typeof process !== 'undefined' && process.versions?.node !== undefined;
