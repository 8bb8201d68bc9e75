"""A byte-level BPE tokenizer: learned here, written as an ordinary Hugging Face tokenizer.json."""
import collections
import json
import re

UNK, BOS, EOS = 0, 1, 2
SPECIALS_FIRST = ["<unk>", "<s>", "</s>"]
SPECIALS_LAST = ["<image>", "<pad>"]

# GPT-2's split, for text of ASCII letters and digits, which is all that the questions use.
SPLIT = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")


def byte_alphabet():
    """GPT-2's printable character for each byte."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    alphabet = {b: chr(b) for b in plain}
    for extra, b in enumerate(b for b in range(256) if b not in plain):
        alphabet[b] = chr(256 + extra)
    return alphabet


ALPHABET = byte_alphabet()


def spell(text):
    return "".join(ALPHABET[b] for b in text.encode("utf-8"))


def merge_pair(word, pair):
    merged, i = [], 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
            merged.append(word[i] + word[i + 1])
            i += 2
        else:
            merged.append(word[i])
            i += 1
    return tuple(merged)


def learn_merges(lines):
    """Merge the most frequent pair (ties: the smaller pair) until every word of the language is one token."""
    words = collections.Counter(tuple(spell(w)) for line in lines for w in SPLIT.findall(line))
    merges = []
    while True:
        pairs = collections.Counter()
        for word, count in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        if not pairs:
            return merges
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        merged = collections.Counter()
        for word, count in words.items():
            merged[merge_pair(word, best)] += count
        words = merged


class Tokenizer:
    def __init__(self, merges):
        self.merges = merges
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        pieces = SPECIALS_FIRST + sorted(ALPHABET.values(), key=ord) + [a + b for a, b in merges]
        self.vocab = {piece: i for i, piece in enumerate(pieces)}
        self.added = {piece: self.vocab[piece] for piece in SPECIALS_FIRST}
        self.added.update({piece: len(pieces) + i for i, piece in enumerate(SPECIALS_LAST)})
        self.image, self.pad = self.added["<image>"], self.added["<pad>"]
        self.size = len(pieces) + len(SPECIALS_LAST)
        self.text_of = {i: piece for piece, i in self.vocab.items()}
        self.byte_of = {c: b for b, c in ALPHABET.items()}

    @classmethod
    def learn(cls, lines):
        return cls(learn_merges(lines))

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            merges = json.load(file)["model"]["merges"]
        return cls([tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in merges])

    def encode(self, text, bos=False):
        ids = [BOS] if bos else []
        for part in re.split("(" + "|".join(map(re.escape, self.added)) + ")", text):
            if part in self.added:
                ids.append(self.added[part])
                continue
            for word in SPLIT.findall(part):
                pieces = tuple(spell(word))
                while len(pieces) > 1:
                    best = min(zip(pieces, pieces[1:]), key=lambda p: self.ranks.get(p, 1 << 30))
                    if best not in self.ranks:
                        break
                    pieces = merge_pair(pieces, best)
                ids += [self.vocab[p] for p in pieces]
        return ids

    def decode(self, ids):
        added = set(self.added.values())
        text = "".join(self.text_of[i] for i in ids if i not in added)
        return bytes(self.byte_of[c] for c in text).decode("utf-8", "replace")

    def save(self, path):
        special = lambda piece, i: {"id": i, "content": piece, "single_word": False, "lstrip": False, "rstrip": False,
                                    "normalized": False, "special": True}
        first = lambda piece: {"SpecialToken": {"id": piece, "type_id": 0}}
        sequence = lambda name: {"Sequence": {"id": name, "type_id": 0}}
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        document = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [special(p, i) for p, i in sorted(self.added.items(), key=lambda item: item[1])],
            "normalizer": None,
            "pre_tokenizer": byte_level,
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [first("<s>"), sequence("A")],
                "pair": [first("<s>"), sequence("A"), first("<s>"), sequence("B")],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [BOS], "tokens": ["<s>"]}},
            },
            "decoder": byte_level,
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": False,
                "byte_fallback": False,
                "ignore_merges": False,
                "vocab": self.vocab,
                "merges": [" ".join(m) for m in self.merges],
            },
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False, indent=1)
            file.write("\n")


def prompt(question):
    """The prompt before tokenizing, as the chat template renders it; <image> stands for all visual tokens."""
    return f"USER: <image>\n{question} ASSISTANT:"
