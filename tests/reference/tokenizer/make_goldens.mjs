// Writes goldens/*.json.gz: what @huggingface/tokenizers makes of some 2,500 texts with each tokenizer here, and what node's
// String.normalize makes of Unicode.
//
//     npm install --prefix <folder outside the repository> @huggingface/tokenizers@0.2.0
//     node make_goldens.mjs <that folder>
//
// The reference follows JavaScript where the Rust library (the definition) does not. Such places are corrected before the
// comparison; every correction is named, and the golden file counts the texts on which it changes the result:
//
//   white space    ByteLevel's own pattern uses JavaScript's \s, which has U+FEFF and lacks U+0085; Unicode's White_Space is the reverse.
//   digits         Digits uses \d, which is ASCII only here; the Rust library asks char::is_numeric (Nd, Nl, No).
//   byte order     ByteFallback decodes with a TextDecoder that swallows U+FEFF at the start of a run.
//
// Left out, and counted: texts in which U+FEFF or U+0085 stands next to an added token that strips white space (trimStart and
// trimEnd have JavaScript's idea of it).
import { createRequire } from "node:module";
import { readFileSync, writeFileSync, mkdirSync, readdirSync } from "node:fs";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import path from "node:path";
import { sentences } from "./corpus.mjs";

const require = createRequire(path.resolve(process.argv[2] ?? ".", "package.json"));
const { Tokenizer } = require("@huggingface/tokenizers");

// A small generator, so that every run draws the same texts.
let state = 0x9e3779b9;
const random = (n) => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % n;
};
const pick = (list) => list[random(list.length)];

// Ranges of scripts that have long been assigned: node's Unicode is newer than .NET's, and both must know every character.
const ranges = [
  [0x20, 0x7e], [0x20, 0x7e], [0xa1, 0x17f], [0x180, 0x24f], [0x250, 0x2af], [0x300, 0x34e], [0x391, 0x3a1], [0x3a3, 0x3ce], [0x400, 0x45f], [0x531, 0x556], [0x5d0, 0x5ea], [0x5b0, 0x5bd],
  [0x620, 0x669], [0x710, 0x72f], [0x780, 0x7b1], [0x905, 0x94d], [0x966, 0x96f], [0x985, 0x98c], [0xa05, 0xa0a], [0xa85, 0xa8d], [0xb05, 0xb0c], [0xb85, 0xb8a], [0xc05, 0xc0c], [0xc85, 0xc8c], [0xd05, 0xd0c], [0xd85, 0xd96],
  [0xe01, 0xe3a], [0xe50, 0xe59], [0xe81, 0xe82], [0xf40, 0xf47], [0x1000, 0x1049], [0x10a0, 0x10c5], [0x10d0, 0x10fa], [0x1100, 0x1112], [0x1161, 0x1175], [0x11a8, 0x11c2], [0x1200, 0x1248], [0x1369, 0x137c], [0x13a0, 0x13f5],
  [0x1401, 0x166c], [0x1680, 0x169a], [0x16a0, 0x16ea], [0x1780, 0x17b3], [0x17e0, 0x17e9], [0x1820, 0x1877], [0x1e00, 0x1eff], [0x1f00, 0x1f15], [0x2000, 0x200f], [0x2010, 0x2027], [0x2028, 0x202f], [0x2030, 0x205e], [0x2070, 0x2071], [0x2080, 0x208e],
  [0x20a0, 0x20b9], [0x2100, 0x214f], [0x2150, 0x2188], [0x2190, 0x23ff], [0x2460, 0x24ff], [0x2500, 0x26ff], [0x2c80, 0x2ce4], [0x3000, 0x303f], [0x3041, 0x3096], [0x309b, 0x30ff], [0x3105, 0x312d], [0x3400, 0x4db5], [0x4e00, 0x9fcb], [0xa000, 0xa48c],
  [0xac00, 0xd7a3], [0xe000, 0xe010], [0xf900, 0xfa2d], [0xfb00, 0xfb06], [0xfb50, 0xfbb1], [0xfe00, 0xfe0f], [0xff01, 0xffbe], [0x10000, 0x1000b], [0x10280, 0x1029c], [0x10330, 0x1034a], [0x10380, 0x1039d], [0x10400, 0x1044f], [0x10900, 0x1091b], [0x11013, 0x11037], [0x11052, 0x1106f],
  [0x12000, 0x12398], [0x12400, 0x12462], [0x13000, 0x1342e], [0x1b000, 0x1b001], [0x1d100, 0x1d126], [0x1d15e, 0x1d164], [0x1d400, 0x1d454], [0x1d7ce, 0x1d7ff], [0x1e900, 0x1e943], [0x1e950, 0x1e959], [0x1f1e6, 0x1f1ff], [0x1f300, 0x1f320], [0x1f3fb, 0x1f3ff], [0x1f600, 0x1f64f],
  [0x1f900, 0x1f90b], [0x20000, 0x2a6d6], [0x2a700, 0x2b734], [0x2f800, 0x2fa1d], [0xe0020, 0xe007f], [0xe0100, 0xe01ef], [0xf0000, 0xf0010],
];
const character = ([first, last]) => String.fromCodePoint(first + random(last - first + 1));
const spaces = [" ", " ", " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u3000", "\u0085", "\u2028", "\ufeff", "\u200b", " \n ", "\n "];
const special = ["<image>", "<s>", "</s>", "<unk>", "<pad>", "<tool>", "<tool>x", "<|im_start|>", "<|im_end|>", "<|im_start|>x", "<|endoftext|>", "<mask>", "<rest>", "<tool_call>", "Tool é", "Tool e\u0301", "<end_of_utterance>", "<|begin_of_text|>", "<|end_of_text|>"];
const contractions = ["'s", "'S", "'t", "'re", "'RE", "'ve", "'m", "'ll", "'Ll", "'d", "'x", "'", "’s"];
const words = sentences.flatMap((text) => text.split(/\s+/)).filter((word) => word.length > 0);

const texts = new Set(["", ...sentences, "zyzzyva", " zyzzyva", "a zyzzyva b"]);
for (const range of ranges) {
  for (let i = 0; i < 3; i++) texts.add(Array.from({ length: 2 + random(10) }, () => (random(6) === 0 ? pick(spaces) : character(range))).join(""));
}
for (const token of special) {
  for (const text of [token, ` ${token}`, `${token} `, ` ${token} `, `${token}${token}`, `${token} ${token}`, `a${token}b`, `a ${token} b`, `a  ${token}\n\nb`, `${token}a`, `a${token}`, `é${token}日本`, `😀${token}👍🏽`, token.slice(0, -1), token.slice(1), token.toUpperCase(), `<${token}>`, `\n${token}\n`, `USER: ${token}\nwhat is it ? ASSISTANT:`]) texts.add(text);
}
while (texts.size < 2500) {
  let text = "";
  const parts = 1 + random(8);
  for (let i = 0; i < parts; i++) {
    const kind = random(12);
    if (kind < 3) text += pick(words);
    else if (kind < 5) text += pick(spaces);
    else if (kind < 6) text += pick(special);
    else if (kind < 7) text += pick(contractions);
    else if (kind < 8) text += String(random(100000));
    else if (kind < 9) text += character([0, 0x9f]);
    else text += Array.from({ length: 1 + random(4) }, ((range) => () => character(range))(pick(ranges))).join("");
  }
  texts.add(text);
}
const all = [...texts].filter((text) => text.isWellFormed());

const here = new URL("./", import.meta.url);
mkdirSync(new URL("goldens/", here), { recursive: true });
const write = (name, value) => {
  const bytes = gzipSync(Buffer.from(JSON.stringify(value)), { level: 9 });
  writeFileSync(new URL(`goldens/${name}.json.gz`, here), bytes);
  console.log(name, bytes.length, "bytes");
};
const equal = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
write("texts", all);

for (const file of readdirSync(here).filter((name) => name.endsWith(".tokenizer.json")).sort()) {
  const name = file.replace(".tokenizer.json", "");
  const json = JSON.parse(readFileSync(new URL(file, here), "utf8"));
  const plain = new Tokenizer(structuredClone(json), {});
  const tokenizer = new Tokenizer(structuredClone(json), {});
  const steps = tokenizer.pre_tokenizer?.tokenizers ?? [];
  const corrections = [];
  for (const step of steps) {
    if (step.use_regex === true) {
      step.pattern = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
      corrections.push("white space");
    }
    if (step.config?.individual_digits) {
      step.pattern = /\P{N}+|\p{N}/gu;
      corrections.push("digits");
    }
  }
  for (const step of tokenizer.decoder.decoders ?? []) {
    if (step.constructor.name.startsWith("ByteFallback")) {
      step.text_decoder = new TextDecoder("utf-8", { ignoreBOM: true });
      corrections.push("byte order");
    }
  }

  const stripping = json.added_tokens.filter((token) => token.lstrip || token.rstrip).map((token) => token.content);
  const odd = stripping.length === 0 ? null : new RegExp(stripping.map((t) => `[\\s\\u0085]*[\\ufeff\\u0085][\\s\\u0085]*${t}|${t}[\\s\\u0085]*[\\ufeff\\u0085]`).join("|"), "u");
  let leftOut = 0;
  let corrected = 0;
  // Per text: ids, ids without the post-processor's if they are not its tail, the text decoded with and without special tokens where it is not the input. null: left out.
  const decode = (which, ids, skip) => (ids.length === 0 ? "" : which.decode(ids, { skip_special_tokens: skip, clean_up_tokenization_spaces: false }));
  const results = all.map((text) => {
    if (odd?.test(text)) {
      leftOut++;
      return null;
    }
    const ids = tokenizer.encode(text).ids;
    const bare = tokenizer.encode(text, { add_special_tokens: false }).ids;
    if (!equal(ids.slice(ids.length - bare.length), bare)) throw new Error("the post-processor appends");
    const decoded = decode(tokenizer, ids, false);
    const skipped = decode(tokenizer, ids, true);
    if (!equal(ids, plain.encode(text).ids) || decoded !== decode(plain, ids, false)) corrected++;
    return [ids.length - bare.length, ids, decoded === text ? 0 : decoded, skipped === text ? 0 : skipped];
  });
  // Ids in any order: broken UTF-8, special tokens between bytes.
  const size = Math.max(...json.added_tokens.map((token) => token.id)) + 1;
  const loose = Array.from({ length: 300 }, () => Array.from({ length: 1 + random(12) }, () => (random(3) === 0 ? random(260) : random(size))));
  write(name, { corrections, corrected, leftOut, results, loose: loose.map((ids) => [ids, decode(tokenizer, ids, false), decode(tokenizer, ids, true)]) });
  console.log(`  ${all.length - leftOut} texts compared, ${leftOut} left out, ${corrected} corrected (${corrections.join(", ")})`);
}

// Normalisation: a hash of each form of each block of 4,096 scalars, one to a line; and marks in random order.
const forms = ["NFC", "NFD", "NFKC", "NFKD"];
const blocks = [];
for (let first = 0; first < 0x110000; first += 0x1000) {
  const lines = Array.from({ length: 0x1000 }, (_, i) => first + i).filter((cp) => cp < 0xd800 || cp > 0xdfff).map((cp) => String.fromCodePoint(cp));
  blocks.push(forms.map((form) => createHash("sha256").update(lines.map((line) => line.normalize(form)).join("\n")).digest("hex").slice(0, 16)));
}
const marks = Array.from({ length: 0x1e000 }, (_, cp) => cp).filter((cp) => cp < 0xd800 || cp > 0xdfff).map((cp) => String.fromCodePoint(cp)).filter((c) => /\p{Mn}/u.test(c));
const bases = Array.from("aeioucsAEIOUCSαωиקالकஒ가각각가ㄱ〱かﾞ㌔ﬁﬀſÅ𝅗𑂙");
const sequences = Array.from({ length: 1500 }, () => pick(bases) + Array.from({ length: 1 + random(5) }, () => (random(4) === 0 ? pick(bases) : random(2) === 0 ? String.fromCodePoint(0x300 + random(0x4f)) : pick(marks))).join(""));
write("normalization", { unicode: process.versions.unicode, blocks, sequences: sequences.map((text) => [text, ...forms.map((form) => text.normalize(form))]) });
