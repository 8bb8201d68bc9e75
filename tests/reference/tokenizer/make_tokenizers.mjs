// Trains the small tokenizers that the tests read: byte-pair encoding over the sentences of corpus.mjs, the same on every run.
//
//     node make_tokenizers.mjs
import { writeFileSync } from "node:fs";
import { sentences } from "./corpus.mjs";

const qwen2Split = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const llama3Split = qwen2Split.replace(String.raw`|\p{N}|`, String.raw`|\p{N}{1,3}|`);
const gpt2Split = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

const byteCharacters = (() => {
  const printable = (b) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode(printable(b) ? b : next++));
})();
const byteLevel = (text) => Array.from(new TextEncoder().encode(text), (b) => byteCharacters[b]).join("");

/** Learns merges from words (arrays of symbols): the most frequent pair, ties by code point order. */
function train(words, count) {
  const counted = new Map();
  for (const word of words) counted.set(word.join("\u0000"), (counted.get(word.join("\u0000")) ?? 0) + 1);
  const entries = Array.from(counted, ([key, times]) => ({ symbols: key.split("\u0000"), times }));
  const merges = [];
  while (merges.length < count) {
    const pairs = new Map();
    for (const { symbols, times } of entries) {
      for (let i = 0; i + 1 < symbols.length; i++) {
        const key = symbols[i] + "\u0000" + symbols[i + 1];
        pairs.set(key, (pairs.get(key) ?? 0) + times);
      }
    }
    let best = null;
    for (const [key, times] of pairs) {
      if (best === null || times > pairs.get(best) || (times === pairs.get(best) && key < best)) best = key;
    }
    if (best === null || pairs.get(best) < 2) break;
    const [left, right] = best.split("\u0000");
    merges.push([left, right]);
    for (const entry of entries) {
      const merged = [];
      for (let i = 0; i < entry.symbols.length; i++) {
        if (entry.symbols[i] === left && entry.symbols[i + 1] === right) {
          merged.push(left + right);
          i++;
        } else {
          merged.push(entry.symbols[i]);
        }
      }
      entry.symbols = merged;
    }
  }
  return merges;
}

const vocabulary = (symbols, merges) => Object.fromEntries([...new Set([...symbols, ...merges.map(([a, b]) => a + b)])].map((token, id) => [token, id]));
const added = (id, content, more = {}) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...more });
const asText = (merges) => merges.map((pair) => pair.join(" "));
// Twice, so that every word of the corpus counts as frequent.
const corpus = [...sentences, ...sentences];

function sentencePiece(name, { normalizer, preTokenizer, pairs }) {
  // Words are cut before each space, so no merge crosses one; only characters seen often enough are symbols, the rest falls back to bytes.
  const words = corpus.flatMap((text) => ("▁" + text.replaceAll(" ", "▁")).split(/(?<!▁)(?=▁)/u)).map((word) => Array.from(word).filter((c) => c !== "\u0000"));
  const frequency = new Map();
  for (const c of words.flat()) frequency.set(c, (frequency.get(c) ?? 0) + 1);
  const symbols = [...frequency.keys()].filter((c) => frequency.get(c) >= 4 && (c === "▁" || !/[\p{Cc}\p{So}\p{Mn}]/u.test(c))).sort();
  const kept = new Set(symbols);
  const merges = train(words.filter((word) => word.every((c) => kept.has(c))), 600);
  const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`);
  const vocab = vocabulary(["<unk>", "<s>", "</s>", ...bytes, ...symbols], merges);
  const size = Object.keys(vocab).length;
  write(name, {
    version: "1.0", truncation: null, padding: null,
    added_tokens: [added(0, "<unk>"), added(1, "<s>"), added(2, "</s>"), added(size, "<image>"), added(size + 1, "<pad>"), added(size + 2, "<tool>", { special: false }), added(size + 3, "<tool>x", { special: false, rstrip: true })],
    normalizer, pre_tokenizer: preTokenizer,
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "<s>", type_id: 1 } }, { Sequence: { id: "B", type_id: 1 } }],
      special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
    },
    decoder: { type: "Sequence", decoders: [{ type: "Replace", pattern: { String: "▁" }, content: " " }, { type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 }] },
    model: { type: "BPE", dropout: null, unk_token: "<unk>", continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: true, byte_fallback: true, ignore_merges: false, vocab, merges: pairs ? merges : asText(merges) },
  });
}

function byteLevelBpe(name, { split, normalize = (text) => text, normalizer, preTokenizer, postProcessor, pairs, ignoreMerges = false, special }) {
  const words = corpus.flatMap((text) => normalize(text).match(new RegExp(split.replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)", "'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL]{2}|[dD])"), "gu")) ?? []).map((word) => Array.from(byteLevel(word)));
  const merges = train(words, 700);
  // A word that no merge leads to: only ignore_merges finds it.
  const vocab = vocabulary([...byteCharacters, ...(ignoreMerges ? ["Ġzyzzyva"] : [])], merges);
  const size = Object.keys(vocab).length;
  write(name, {
    version: "1.0", truncation: null, padding: null,
    added_tokens: special.map(([content, more], i) => added(size + i, content, more)),
    normalizer, pre_tokenizer: preTokenizer, post_processor: postProcessor(size),
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: "", end_of_word_suffix: "", fuse_unk: false, byte_fallback: false, ignore_merges: ignoreMerges, vocab, merges: pairs ? merges : asText(merges) },
  });
}

function write(name, tokenizer) {
  writeFileSync(new URL(`${name}.tokenizer.json`, import.meta.url), JSON.stringify(tokenizer) + "\n");
  console.log(name, Object.keys(tokenizer.model.vocab).length, "tokens", tokenizer.model.merges.length, "merges");
}

sentencePiece("llama-prepend", {
  normalizer: { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, { type: "Replace", pattern: { String: " " }, content: "▁" }] },
  preTokenizer: null, pairs: false,
});
sentencePiece("llama-metaspace", { normalizer: null, preTokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false }, pairs: true });

const chatMl = [["<|endoftext|>"], ["<|im_start|>"], ["<|im_end|>"], ["<image>"], ["<mask>", { lstrip: true }], ["<rest>", { rstrip: true }], ["<tool_call>", { special: false }], ["<|im_start|>x", { special: false }], ["Tool é", { special: false, normalized: true }]];
byteLevelBpe("qwen2", {
  split: qwen2Split, normalize: (text) => text.normalize("NFC"), normalizer: { type: "NFC" }, pairs: true, special: chatMl,
  preTokenizer: { type: "Sequence", pretokenizers: [{ type: "Split", pattern: { Regex: qwen2Split }, behavior: "Isolated", invert: false }, { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false }] },
  postProcessor: () => ({ type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false }),
});
byteLevelBpe("gpt2-digits", {
  split: gpt2Split, normalizer: null, pairs: false, special: [["<|endoftext|>"], ["<|im_start|>"], ["<|im_end|>"], ["<image>"], ["<end_of_utterance>"]],
  preTokenizer: { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true }] },
  postProcessor: () => null,
});
byteLevelBpe("llama3", {
  split: llama3Split, normalizer: null, pairs: true, ignoreMerges: true, special: [["<|begin_of_text|>"], ["<|end_of_text|>"], ["<image>"]],
  preTokenizer: { type: "Sequence", pretokenizers: [{ type: "Split", pattern: { Regex: llama3Split }, behavior: "Isolated", invert: false }, { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false }] },
  postProcessor: (size) => ({
    type: "Sequence",
    processors: [
      { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true },
      {
        type: "TemplateProcessing",
        single: [{ SpecialToken: { id: "<|begin_of_text|>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
        pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
        special_tokens: { "<|begin_of_text|>": { id: "<|begin_of_text|>", ids: [size], tokens: ["<|begin_of_text|>"] } },
      },
    ],
  }),
});
