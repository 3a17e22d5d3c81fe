import { randomInt } from "node:crypto";

/** Odd and with many bits, as MurmurHash2 has it: multiplying by it loses nothing. */
const SPREAD = 0x5bd1e995;

/** Another in each process: nobody can choose names that share a place. */
const seed = randomInt(2 ** 32 - 1);

/** A hash of a text's UTF-16 code units, of 32 bits and with its sign: the same for as long as this process lives. */
export function hashOfName(name: string): number {
  let hash = seed;
  for (let at = 0; at < name.length; at++) {
    hash = Math.imul(hash ^ name.charCodeAt(at), SPREAD);
    hash ^= hash >>> 15;
  }
  return hash;
}
