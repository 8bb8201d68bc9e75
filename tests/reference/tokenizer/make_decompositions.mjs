// Writes runtime/Espalier.Runtime/Text/UnicodeDecompositions.cs: what NFC, NFD, NFKC and NFKD need to know.
//
//     node make_decompositions.mjs
//
// Under InvariantGlobalization .NET on Linux returns every string from Normalize() unchanged, without an error, so the
// runtime brings its own tables. They are taken from the Unicode data inside node (ICU), by asking String.normalize.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const target = fileURLToPath(new URL("../../../runtime/Espalier.Runtime/Text/UnicodeDecompositions.cs", import.meta.url));
const points = (text) => Array.from(text, (c) => c.codePointAt(0));
const isHangulSyllable = (cp) => cp >= 0xac00 && cp <= 0xd7a3;
const isSurrogate = (cp) => cp >= 0xd800 && cp <= 0xdfff;

const bytes = (values) => {
  const out = [];
  for (let value of values) {
    while (value >= 0x80) {
      out.push((value & 0x7f) | 0x80);
      value >>>= 7;
    }
    out.push(value);
  }
  return Buffer.from(out);
};
const zigzag = (value) => (value << 1) ^ (value >> 31);

// A record: distance to the code point, (length << 2 | compatibility << 1 | composes), then each scalar of the mapping
// as the zigzag distance to the one before it. Canonical mappings are one step ("first second"), as in UnicodeData.txt.
const mappings = [];
let mappingCount = 0;
let previous = 0;
for (let cp = 0; cp <= 0x10ffff; cp++) {
  if (isHangulSyllable(cp) || isSurrogate(cp)) continue;
  const text = String.fromCodePoint(cp);
  const nfd = text.normalize("NFD");
  let mapping;
  let compatibility = 0;
  let composes = 0;
  if (nfd !== text) {
    mapping = points(nfd);
    composes = text.normalize("NFC") === text ? 1 : 0;
    if (mapping.length > 1) {
      const first = points(String.fromCodePoint(...mapping.slice(0, -1)).normalize("NFC"));
      if (first.length === 1) mapping = [first[0], mapping.at(-1)];
    }
    if (composes && (mapping.length !== 2 || String.fromCodePoint(...mapping).normalize("NFC") !== text)) {
      throw new Error(`U+${cp.toString(16)} composes, but not from a pair`);
    }
  } else if (text.normalize("NFKD") !== text) {
    mapping = points(text.normalize("NFKD"));
    compatibility = 1;
  } else {
    continue;
  }
  mappings.push(cp - previous, (mapping.length << 2) | (compatibility << 1) | composes);
  let last = cp;
  for (const part of mapping) {
    mappings.push(zigzag(part - last));
    last = part;
  }
  previous = cp;
  mappingCount++;
}

// Combining classes are not exposed, but their order is, and the order is all that normalisation uses. U+0334 has the
// lowest class that exists (1) and U+0345 the highest (240), so a mark is one that moves past either of them.
const moves = (a, b) => (a + b).normalize("NFD") !== a + b; // a's class is greater than b's, b's is not 0
const marks = [];
for (let cp = 0x300; cp <= 0x10ffff; cp++) {
  if (isHangulSyllable(cp) || isSurrogate(cp)) continue;
  const text = String.fromCodePoint(cp);
  if (text.normalize("NFD") !== text) continue;
  if (moves("\u0345", text) || moves(text, "\u0334")) marks.push(text);
}
const representatives = [];
for (const mark of marks) {
  let at = 0;
  while (at < representatives.length && moves(mark, representatives[at])) at++;
  if (at === representatives.length || moves(representatives[at], mark)) representatives.splice(at, 0, mark);
}
const rank = (mark) => 1 + representatives.findIndex((r) => !moves(mark, r) && !moves(r, mark));

// A record: distance from the end of the range before, length of the range, rank of its class.
const classes = [];
let end = 0;
for (let i = 0; i < marks.length; ) {
  const start = marks[i].codePointAt(0);
  const value = rank(marks[i]);
  let length = 1;
  while (i + length < marks.length && marks[i + length].codePointAt(0) === start + length && rank(marks[i + length]) === value) length++;
  classes.push(start - end, length, value);
  end = start + length;
  i += length;
}

const literal = (values) => bytes(values).toString("base64").match(/.{1,140}/g).map((line) => `        "${line}"u8`).join(" +\n");
writeFileSync(target, `// Written by tests/reference/tokenizer/make_decompositions.mjs from Unicode ${process.versions.unicode}. Do not edit.
namespace Espalier.Text;

/// <summary>The decompositions and combining classes of Unicode ${process.versions.unicode}, packed: base64 of variable-length integers.</summary>
internal static class UnicodeDecompositions
{
    /// <summary>Mappings that follow: ${mappingCount}. Hangul syllables are computed, not listed.</summary>
    public const int MappingCount = ${mappingCount};

    /// <summary>A record: distance to the code point; length &lt;&lt; 2 | compatibility &lt;&lt; 1 | composes; each scalar as a zigzag distance to the one before.</summary>
    public static ReadOnlySpan<byte> Mappings =>
${literal(mappings)};

    /// <summary>A record: distance from the end of the range before, length of the range, rank of its combining class (1 to ${representatives.length}, in the order of the classes).</summary>
    public static ReadOnlySpan<byte> CombiningClasses =>
${literal(classes)};
}
`);
console.log(`${mappingCount} mappings, ${marks.length} marks in ${representatives.length} classes`);
