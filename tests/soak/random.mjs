// Choices from a seed (mulberry32): the same seed, the same choices in the order they are asked for.

export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  // In [0, 1).
  unit() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  // From 0 to n - 1.
  below(n) {
    return Math.floor(this.unit() * n);
  }

  between(a, b) {
    return a + this.below(b - a + 1);
  }

  chance(percent) {
    return this.unit() * 100 < percent;
  }

  of(list) {
    return list[this.below(list.length)];
  }

  // A key of {key: weight}.
  weighted(weights) {
    let at = this.unit() * Object.values(weights).reduce((a, b) => a + b);
    for (const [key, weight] of Object.entries(weights)) if ((at -= weight) < 0) return key;
    return Object.keys(weights)[0];
  }

  bytes(n) {
    return Buffer.from(Array.from({ length: n }, () => this.below(256)));
  }
}
