declare module 'siphash' {
  /** SipHash-2-4 of a string (UTF-8) under a key of four 32-bit words; `h` and `l` are the halves of the 64-bit result. */
  export function hash(key: readonly number[], message: string): { h: number; l: number };
  const siphash: { hash: typeof hash };
  export default siphash;
}
