// tiny-gguf.mjs FILE -- a tiny model with seeded random weights, in GGUF version 3, for a llama.cpp server.
//
// The file: a header, metadata as typed key-value pairs, a table of tensors, and their 32-bit floats, each aligned to
// 32 bytes. The architecture is llama with two layers; the vocabulary is one token a byte, in GPT-2's spelling, a few
// merged pairs, and the three marks of the chat template.

import { writeFileSync } from 'node:fs';

const WIDTH = 64;
const LAYERS = 2;
const HEADS = 4;
const INNER = 128;
const CONTEXT = 8192;
const ALIGN = 32;

// A small generator (xorshift32), so that every run makes the same file.
let state = 20240229;
function uniform() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return ((state >>> 0) + 1) / 4294967297;
}
const normal = (deviation) => deviation * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());

// GPT-2 writes each byte as one printable character: itself where it is one, else one from 256 on.
function byteNames() {
  const names = [];
  let next = 256;
  for (let b = 0; b < 256; b++) {
    const printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    names.push(String.fromCharCode(printable ? b : next++));
  }
  return names;
}

function vocabulary() {
  const tokens = byteNames();
  const merges = [];
  for (const word of ['the', 'and', 'ing', 'ion', 'er', 'on', 'in', 'at', 'or', 'is']) {
    let made = word[0];
    for (const letter of word.slice(1)) {
      const pair = `${made} ${letter}`;
      made += letter;
      if (merges.includes(pair)) continue;
      merges.push(pair);
      if (!tokens.includes(made)) tokens.push(made);
    }
  }
  const ordinary = tokens.length;
  tokens.push('<|endoftext|>', '<|im_start|>', '<|im_end|>');
  return { tokens, merges, ordinary };
}

// --- the encoding ----------------------------------------------------------------------------------

const u32 = (n) => {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(n);
  return b;
};
const u64 = (n) => {
  const b = Buffer.alloc(8);
  b.writeBigUInt64LE(BigInt(n));
  return b;
};
const f32 = (x) => {
  const b = Buffer.alloc(4);
  b.writeFloatLE(x);
  return b;
};
const text = (s) => {
  const b = Buffer.from(s);
  return Buffer.concat([u64(b.length), b]);
};

const UINT32 = 4;
const INT32 = 5;
const FLOAT32 = 6;
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;
const pairs = [];
const pair = (key, type, value) => pairs.push(Buffer.concat([text(key), u32(type), value]));
const number = (key, n) => pair(key, UINT32, u32(n));
const string = (key, s) => pair(key, STRING, text(s));
const list = (key, type, items) => pair(key, ARRAY, Buffer.concat([u32(type), u64(items.length), ...items]));

const { tokens, merges, ordinary } = vocabulary();
string('general.architecture', 'llama');
string('general.name', 'tiny');
number('general.file_type', 0);
number('llama.context_length', CONTEXT);
number('llama.embedding_length', WIDTH);
number('llama.block_count', LAYERS);
number('llama.feed_forward_length', INNER);
number('llama.attention.head_count', HEADS);
number('llama.attention.head_count_kv', HEADS);
number('llama.rope.dimension_count', WIDTH / HEADS);
number('llama.vocab_size', tokens.length);
pair('llama.attention.layer_norm_rms_epsilon', FLOAT32, f32(1e-5));
string('tokenizer.ggml.model', 'gpt2');
string('tokenizer.ggml.pre', 'default');
list('tokenizer.ggml.tokens', STRING, tokens.map(text));
list('tokenizer.ggml.token_type', INT32, tokens.map((_, i) => u32(i < ordinary ? 1 : 3)));
list('tokenizer.ggml.merges', STRING, merges.map(text));
number('tokenizer.ggml.bos_token_id', ordinary);
number('tokenizer.ggml.eos_token_id', ordinary + 2);
number('tokenizer.ggml.eot_token_id', ordinary + 2);
pair('tokenizer.ggml.add_bos_token', BOOL, Buffer.from([0]));
string(
  'tokenizer.chat_template',
  '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}' +
    '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}',
);

// Name, shape, spread of the weights; no spread: all one.
const tensors = [
  ['token_embd.weight', [WIDTH, tokens.length], 0.5],
  ['output_norm.weight', [WIDTH]],
  ['output.weight', [WIDTH, tokens.length], 0.1],
];
for (let l = 0; l < LAYERS; l++) {
  const square = [WIDTH, WIDTH];
  tensors.push(
    [`blk.${l}.attn_norm.weight`, [WIDTH]],
    [`blk.${l}.attn_q.weight`, square, 0.1],
    [`blk.${l}.attn_k.weight`, square, 0.1],
    [`blk.${l}.attn_v.weight`, square, 0.1],
    [`blk.${l}.attn_output.weight`, square, 0.1],
    [`blk.${l}.ffn_norm.weight`, [WIDTH]],
    [`blk.${l}.ffn_gate.weight`, [WIDTH, INNER], 0.1],
    [`blk.${l}.ffn_up.weight`, [WIDTH, INNER], 0.1],
    [`blk.${l}.ffn_down.weight`, [INNER, WIDTH], 0.1],
  );
}

const table = [];
const data = [];
let offset = 0;
for (const [name, shape, spread] of tensors) {
  const values = new Float32Array(shape.reduce((a, b) => a * b)).map(() => (spread ? normal(spread) : 1));
  const bytes = Buffer.from(values.buffer);
  const padding = Buffer.alloc((ALIGN - (bytes.length % ALIGN)) % ALIGN);
  table.push(text(name), u32(shape.length), ...shape.map(u64), u32(0), u64(offset));
  data.push(bytes, padding);
  offset += bytes.length + padding.length;
}
const front = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(pairs.length), ...pairs, ...table]);
const gap = Buffer.alloc((ALIGN - (front.length % ALIGN)) % ALIGN);
writeFileSync(process.argv[2], Buffer.concat([front, gap, ...data]));
