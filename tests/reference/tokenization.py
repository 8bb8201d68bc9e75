"""Reads the forms of tokenizer.json that LLaVA checkpoints have: SentencePiece-like BPE with byte fallback (normaliser
Prepend/Replace, or Metaspace) and byte-level BPE (GPT-2's or Qwen2's split). Anything else is refused."""
import json
import pathlib
import re
import unicodedata

from make_checkpoints import QWEN2_SPLIT, byte_symbols

GPT2_SPLIT = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def with_classes(pattern):
    """Python's re has no \\p{L} and \\p{N}: spell them out as ranges."""
    for category in "LN":
        ranges, start = [], None
        for code in range(0x110001):
            inside = code < 0x110000 and unicodedata.category(chr(code))[0] == category
            if inside and start is None:
                start = code
            elif not inside and start is not None:
                ranges.append(f"\\U{start:08x}-\\U{code - 1:08x}")
                start = None
        joined = "".join(ranges)
        pattern = re.sub(r"(\[[^\]]*)\\p\{" + category + r"\}", lambda m: m.group(1) + joined, pattern)  # inside a class
        pattern = pattern.replace(r"\p{" + category + "}", f"[{joined}]")
    return re.compile(pattern)


class Tokenizer:
    def __init__(self, folder):
        spec = json.loads((pathlib.Path(folder) / "tokenizer.json").read_text(encoding="utf-8"))
        model = spec["model"]
        assert model["type"] == "BPE" and not model.get("ignore_merges") and model.get("dropout") is None
        self.vocab = model["vocab"]
        pairs = (tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"])
        self.ranks = {pair: rank for rank, pair in enumerate(pairs)}
        self.added = {t["content"]: t["id"] for t in spec["added_tokens"]}
        self.pieces = {i: piece for piece, i in self.vocab.items()}
        self.nfc = spec["normalizer"] == {"type": "NFC"}
        self.prepend = (spec["normalizer"] or {}).get("type") == "Sequence"
        self.byte_fallback = model["byte_fallback"]

        steps = spec["pre_tokenizer"] or {}
        steps = steps.get("pretokenizers", [steps])
        self.metaspace_first = steps[0].get("type") == "Metaspace"
        assert not self.metaspace_first or (steps[0]["prepend_scheme"] == "first" and not steps[0]["split"])
        self.split = None
        if steps[-1].get("type") == "ByteLevel":
            assert not steps[-1]["add_prefix_space"]
            pattern = GPT2_SPLIT if steps[-1]["use_regex"] else steps[0]["pattern"]["Regex"]
            assert pattern in (GPT2_SPLIT, QWEN2_SPLIT)
            self.split = with_classes(pattern)
            self.symbols = byte_symbols()
        post = spec.get("post_processor") or {}
        self.before = []
        if post.get("type") == "TemplateProcessing":
            for item in post["single"]:
                if "SpecialToken" in item:
                    self.before += post["special_tokens"][item["SpecialToken"]["id"]]["ids"]
                else:
                    break

    def encode(self, text):
        ids, at = list(self.before), 0
        for part in re.split("(" + "|".join(re.escape(a) for a in sorted(self.added, key=len, reverse=True)) + ")", text):
            if part in self.added:
                ids.append(self.added[part])
            elif part:
                for word in self.words(part, at == 0):
                    ids += self.merge(word)
            at += len(part)
        return ids

    def words(self, part, first):
        if self.split is not None:
            part = unicodedata.normalize("NFC", part) if self.nfc else part
            return [[self.symbols[b] for b in word.encode()] for word in self.split.findall(part)]
        part = part.replace(" ", "▁")
        if self.prepend or (self.metaspace_first and first and not part.startswith("▁")):
            part = "▁" + part
        word = []
        for character in part:
            known = character in self.vocab
            word += [character] if known else [f"<0x{b:02X}>" for b in character.encode()]
        return [word]

    def merge(self, word):
        while len(word) > 1:
            rank, i = min((self.ranks.get(pair, len(self.ranks)), i) for i, pair in enumerate(zip(word, word[1:])))
            if rank == len(self.ranks):
                break
            word = word[:i] + [word[i] + word[i + 1]] + word[i + 2:]
        return [self.vocab[piece] for piece in word]

    def decode(self, ids):
        """Added tokens and ids without a piece are left out."""
        pieces = [self.pieces[i] for i in ids if i in self.pieces and i not in self.added.values()]
        if self.split is not None:
            back = {symbol: byte for byte, symbol in self.symbols.items()}
            return bytes(back[c] for piece in pieces for c in piece).decode("utf-8", "replace")
        text, run = "", bytearray()
        for piece in [*pieces, ""]:
            byte = re.fullmatch(r"<0x([0-9A-F]{2})>", piece)
            if byte:
                run.append(int(byte[1], 16))
                continue
            try:
                text += run.decode()
            except UnicodeDecodeError:
                text += "\ufffd" * len(run)  # one for each byte of a run that is not UTF-8 as a whole
            text, run = text + piece.replace("▁", " "), bytearray()
        return text[1:] if text.startswith(" ") else text
