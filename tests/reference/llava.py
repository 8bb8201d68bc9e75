"""LLaVA in plain fp32 PyTorch: CLIP or SigLIP tower, projector, LLaMA or Qwen2 decoder, and reductions.

Written from the published definitions to be read and compared, not to be fast. A prompt is one sequence

    [prefix text][visual tokens][suffix text]

and every row carries the position it had there, whatever leaves later. Causality is a comparison of positions.

Reductions, all of prefill (Policy):
    FastV(K, R)     before layer index K the visual tokens with the lowest score leave. Score: softmax attention of the
                    last prompt row in layer K-1, over all its keys, mean over heads. Kept count: round half to even of
                    N * (1 - R), in double precision. Ties go to the lower index. Order and positions are kept.
                    With fastv_rows "mean" the score is the attention of the text rows behind the image, mean over rows and
                    heads, in place of that of the last row.
    ShortV(layers)  visual hidden states pass these layers unchanged; text attends to their keys and values, computed
                    from the layer's own RMSNorm and projections of the frozen states.
    VTW(K)          before layer index K all visual tokens leave. Positions are kept.
    Random(B, keep, seed)  before layer index B, 0 included, `keep` of the n visual tokens that are there stay, by Knuth's
                    algorithm S: token i stays if the next number below n - i is below the tokens still to choose. A
                    number below b is the upper half of the 128-bit product of b and the next number of SplitMix64.
    Norm(B, keep)   before layer index B, 0 included, the visual tokens with the largest L2 norm stay.
    FiCoCo-L(r, start, mode)  inside each layer from start to the last but one that visual rows reach, behind the attention, r visual rows go into the
                    others as ficoco_l in reductions.py says. All rows are then numbered 0, 1, 2, ...
    Merge(B, keep)  before layer index B, 0 included, the visual tokens with the largest L2 norm stay; each of the others goes
                    to the kept one whose row has the highest cosine with its own. A kept row becomes the mean of all that it
                    then stands for, each row counted once, and keeps its place and its position.
    PyramidDrop(lam, S)  before layer index s * (layers // S), s = 1..S-1, int(N * lam ** s) of the N visual tokens of the
                    image stay. Score: softmax attention of the last prompt row over all keys in the layer that follows,
                    which is computed as if nothing left there, mean over heads. All rows are then numbered 0, 1, 2, ...
    AIM(halvings, L1, L2, order)  behind the projector the tokens are merged as aim_merge in reductions.py says; before layer
                    index l + 1, l = L1 + 1 .. L2 - 1, int(N (L2 - l) / (L2 - L1)) of the N tokens that entered the decoder
                    stay, none before L2 + 1. Score: page_rank in reductions.py over the products of queries and keys of
                    layer l, of all rows that are there.
    SparseVLM(layers, keep | scale, bias | lam, tau)  behind each of the layers the visual tokens with the highest score stay, as many as `keep`
                    says or the rank of the raters' attention, and the best of the others are recycled behind them, as sparse_vlm in
                    reductions.py says. Score: the attention of the raters, mean over heads and raters. They are chosen among the
                    rows of the suffix as they enter the decoder. All rows are then numbered 0, 1, 2, ... With `heads` it is
                    SparseVLM+: a corrected score, nothing recycled, positions kept.
    DART(K, R, p, t)  before layer index K, as dart in reductions.py says: norms are the sums of the absolute values of the rotated keys
                    of layer K - 1 over all key heads, rows those before layer K behind the final norm, text that behind the image.
    Victor(M, K)    M registers run between the visual tokens and the suffix, at the positions that follow the image's; the
                    suffix follows on them. Before layer index K all visual tokens leave; registers stay. They come from
                    victor-M.safetensors beside the checkpoint; its other tensors replace the checkpoint's.
    DyVTE           behind layer i, from the layer of the last prune (else 0) to the last but one, a gate is asked: W2 gelu(W1 z),
                    z the mean of the rows of the suffix without its last one, and that last one. If its second number is
                    above the first, all visual tokens leave, and no gate is asked any more. dyvte.safetensors holds them.
    YOPO(w, ratio, cut, first, causal)  from layer `first` on, visual rows attend among visual rows to those alone whose patches are
                    at most (w - 1) // 2 lines and columns away (0: to all), with `causal` only to those before them; they use the
                    first floor(m / ratio) neurons of the feed-forward layer; before layer index `cut` all visual tokens leave.
    Heads(layer, heads)  in this layer visual rows get nothing from these query heads. Text reads visual rows in all heads.
    RedundancyLens(layers, k, m, reach)  in these layers visual rows attend among visual rows to the `reach` before them and
                    to themselves, and use the round(k * neurons) neurons whose |silu(gate) * up| is highest on average over every
                    round(1 / m)-th visual row, the first among them. Either may be None.
    Where ShortV freezes a layer, it stays frozen.
FFN-SkipLLM(tau, k, cold first, cold last, warm-up), of decode (also Policy): in each of the layers between the cold ones the
                    feed-forward layer of a decoded token runs unless it is skipped. If the cosine of the row before it and behind
                    its residual is tau or more, those of the next k layers are skipped; the first tokens of the warm-up skip none.
SepLLM(a, n), of decode (also Policy): text tokens are numbered through prefix, suffix and decoded tokens. Before a token is decoded,
                    let i be the last separator among those before it: of the text tokens that are none, those from number a up to
                    i - n leave all caches. Separators are the tokens whose text consists of . , ? ! ; : space, tab and line feed.
Inside the tower (also Policy; the definitions are in tower_reductions.py), between attention and feed-forward layer:
    FiCoCo-V(start, r, ...) from a layer on, or ToMe(r, inflection, proportional) in all layers that run. Positions are
                    contiguous afterwards. ELIP(places, ratios, ahead) before some layers, likewise. PruneAndMerge(layers, rows) runs
                    layers on fewer rows, and all tokens come back; prune-and-merge-<rows>.safetensors has the matrices.
Before the decoder (also Policy; the definitions are in reductions.py):
    VisionZip(dominant, contextual), VTC-CLS(keep, layer) at the output of the tower: one of them. Positions are contiguous
                    afterwards, as if the image had had so few tokens.
    Recoverable(cut, window, neighbours, text weight) likewise, the relation to the text by the mean embedding of the suffix.
    DivPrune(keep), G-Prune(keep, threshold, temperature, iterations) behind the projector: one of them. Positions are
                    contiguous after DivPrune; after G-Prune every token keeps its own.
Counts found in the image (also Policy): Similarity(scores, cut, window, least, most) at the output of the tower, positions
contiguous; Relevance(K2, theta, text) before layer index K2: the visual tokens stay whose mean attention by the text rows
behind the image in layer K2 - 1 reaches theta times the mean of all; with `text` also text rows behind the image, by the
same rule among themselves, the last one always. Shares behind them are of what is there, and one token stays at least.
At one boundary a prune acts before VTW or Victor; two prunes never share one. A decoded token goes through every layer whole, attends in each layer to the rows
which that layer's cache holds, and its position there is one more than that of the last row in that cache. (So it
continues after the unreduced prompt, unless PyramidDrop renumbered.)
"""
import copy
import pathlib
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Optional, Tuple

import torch
import torch.nn.functional as F

from tokenization import Tokenizer
from checkpoint import canonical_name, read_config, read_safetensors, read_weights
from reductions import (aim_merge, average_into, cd_pruner, cls_attention, cls_cosine, dart, div_prune, ficoco_l, first_release, fo_pru_rows, g_prune_scores, keep_highest, normalised_relevance,
                        ones_response, page_rank, pru_merge, pru_merge_tokens, quartile_threshold, recoverable, relevant, similar_to_cls, sparse_vlm, sparse_vlm_plus, text_raters, vision_zip)
from tower_reductions import Elip, FiCoCoV, PruneAndMerge, ToMe


@dataclass(frozen=True)
class Policy:
    fastv: Optional[Tuple[int, float]] = None  # K, R
    fastv_rows: str = "last"  # or "mean"
    shortv: Tuple[int, ...] = ()
    vtw: Optional[int] = None  # K
    victor: Optional[Tuple[int, int]] = None  # M, K
    dyvte: bool = False
    random: Tuple[Tuple[int, int, int], ...] = ()  # B, keep, seed
    norm: Tuple[Tuple[int, int], ...] = ()  # B, keep
    merge: Tuple[Tuple[int, int], ...] = ()  # B, keep
    ficoco_l: Optional[Tuple] = None  # r, start, and after them mode, beta, gamma, epsilon, redundancy
    pyramid: Optional[Tuple[float, int]] = None  # lambda, S
    sparse_vlm: Optional[dict] = None  # layers, and keep, or scale and bias, or lam; tau; or heads
    ficoco_v: Optional[dict] = None  # the arguments of tower_reductions.FiCoCoV
    tome: Optional[dict] = None  # the arguments of tower_reductions.ToMe
    pruneandmerge: Optional[Tuple[Tuple[int, ...], int]] = None  # tower layers, rows
    elip: Optional[dict] = None  # the arguments of tower_reductions.Elip
    visionzip: Optional[Tuple[int, int]] = None  # dominant (CLS included), contextual
    vtccls: Optional[Tuple[int, int]] = None  # keep, first tower layer
    divprune: Optional[int] = None  # keep
    gprune: Optional[Tuple[float, float, float, int]] = None  # keep (a share if it is no integer), threshold, temperature, iterations
    similarity: Optional[Tuple[str, str, int, float, float]] = None  # cosine or attention, cut, window, least, most
    relevance: Optional[Tuple[int, float, bool]] = None  # K2, theta, text too
    prumerge: Optional[Tuple[int, bool]] = None  # neighbours, plus
    recoverable: Optional[Tuple[str, int, int, float]] = None  # cut, window, neighbours, weight of the text
    fopru: Optional[Tuple[str, str, int]] = None  # received or cls, rank or row, patches or rows
    cdpruner: Optional[int] = None  # keep
    ffn_skip: Optional[Tuple[float, int, int, int, int]] = None  # tau, k, cold layers at the beginning, at the end, warm-up tokens
    dart: Optional[Tuple[int, float, int, int]] = None  # K, R, pivots of the image, of the text
    aim: Optional[Tuple] = None  # halvings, L1, L2, and after them the order
    yopo: Optional[Tuple] = None  # w, ratio, cut (None: never), first layer, causal
    heads: Tuple[Tuple[int, Tuple[int, ...]], ...] = ()  # layer, heads
    lens: Optional[Tuple] = None  # layers, k, m, reach

    sepllm: Optional[Tuple[int, int]] = None  # a, n
    said: Tuple[int, ...] = ()  # tokens that are decoded in place of the most likely ones

    @property
    def exit(self):
        """The layer before which all visual tokens leave; None if they never do."""
        return self.victor[1] if self.victor else self.aim[2] + 1 if self.aim else self.yopo[2] if self.yopo and self.yopo[2] else self.vtw

    def boundaries(self, layers):
        """The layers before which some visual tokens leave, ascending."""
        stages = range(1, self.pyramid[1]) if self.pyramid else []
        return sorted([b for b, *_ in [*self.random, *self.norm, *self.merge, *([self.fastv] if self.fastv else []), *([self.dart] if self.dart else []), *([self.relevance] if self.relevance else [])]]
                      + [layer + 1 for layer in (self.sparse_vlm["layers"] if self.sparse_vlm else [])]
                      + [s * (layers // self.pyramid[1]) for s in stages] + list(range(self.aim[1] + 2, self.aim[2] + 1) if self.aim else []))

    def renumbers(self, i, layers):
        """True if PyramidDrop or SparseVLM acts before layer i."""
        return i in replace(self, aim=None, dart=None, fastv=None, random=(), norm=(), merge=(), relevance=None, sparse_vlm=None if self.sparse_vlm and "heads" in self.sparse_vlm else self.sparse_vlm).boundaries(layers)

    def merges(self):
        """True if rows of the decoder are made of several."""
        return bool(self.merge or self.ficoco_l or (self.sparse_vlm and "heads" not in self.sparse_vlm and self.sparse_vlm.get("tau", 0.3) > 0))

    def inside(self, i, layers):
        """True if rows are merged inside layer i."""
        return self.ficoco_l is not None and self.ficoco_l[1] <= i < (self.exit or layers) - 1

    def may_skip(self, i, layers):
        """True if decode may skip the feed-forward layer of layer i."""
        return self.ffn_skip is not None and self.ffn_skip[2] <= i < layers - self.ffn_skip[3]

    def validate(self, layers):
        exit_layer = layers if self.exit is None else self.exit
        if not 1 <= exit_layer <= layers or bool(self.victor) + bool(self.vtw) + bool(self.aim) + bool(self.yopo and self.yopo[2]) + self.dyvte > 1:
            raise ValueError("the K of VTW or Victor must lie in 1..layers; one exit")
        if self.fastv and not (1 <= self.fastv[0] < exit_layer and 0 <= self.fastv[1] < 1):
            raise ValueError("FastV's K must lie in 1..layers-1 and before the exit, R in [0, 1)")
        if self.ficoco_l and self.victor:
            raise ValueError("FiCoCo-L and Victor together are not told here")
        if self.pyramid and not (0 < self.pyramid[0] < 1 and 2 <= self.pyramid[1] <= layers):
            raise ValueError("PyramidDrop's lambda must lie in (0, 1), S in 2..layers")
        boundaries = self.boundaries(layers)
        if len(set(boundaries)) < len(boundaries) or any(not 0 <= b < min(exit_layer, layers) for b in boundaries):
            raise ValueError("prunes lie at boundaries of their own, before the exit")
        if any(not 0 <= layer < exit_layer for layer in self.shortv):
            raise ValueError("ShortV's layers must exist and lie before the exit")


def keep_count(n, ratio):
    return max(1, round(n * (1 - ratio)))  # Python rounds halves to even


def split_mix_64(seed):
    """The numbers of SplitMix64 (Steele, Lea, Flood, 2014), 64 bits each."""
    state = seed % 2 ** 64
    while True:
        state = (state + 0x9E3779B97F4A7C15) % 2 ** 64
        z = state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2 ** 64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2 ** 64
        yield z ^ z >> 31


def keep_random(n, count, seed):
    """Indices of `count` of n tokens, ascending."""
    kept, numbers = [], split_mix_64(seed)
    for i in range(n):
        if next(numbers) * (n - i) >> 64 < count - len(kept):
            kept.append(i)
    return kept


def linear(x, weights, name):
    return F.linear(x, weights[name + ".weight"], weights.get(name + ".bias"))


ACTIVATIONS = {
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "gelu_pytorch_tanh": lambda x: 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x ** 3))),
    "gelu": lambda x: 0.5 * x * (1 + torch.erf(x / 2 ** 0.5)),
    "silu": lambda x: x * torch.sigmoid(x),
}


# ---- vision -------------------------------------------------------------------------------------------------------


def vision_hidden_states(config, weights, pixels, inside=None, reducer=None):
    """[3, H, W] -> list of [rows, hidden]: after the embeddings, then after each layer.

    reducer: optional object of tower_reductions that takes rows away between attention and feed-forward layer.
    inside: optional list that receives each layer's attention [heads, rows, rows] and keys [heads, rows, head_dim].
    """
    def w(name):
        return weights["vision_tower." + name]

    def norm(x, name):
        return F.layer_norm(x, x.shape[-1:], w(name + ".weight"), w(name + ".bias"), config.layer_norm_eps)

    clip = config.model_type == "clip_vision_model"
    bias = None if clip else w("embeddings.patch_embedding.bias")
    patches = F.conv2d(pixels[None], w("embeddings.patch_embedding.weight"), bias, stride=config.patch_size)[0]
    x = patches.flatten(1).T  # row-major over the patch grid
    if clip:
        x = torch.cat([w("embeddings.class_embedding").reshape(1, -1), x])
    x = x + w("embeddings.position_embedding.weight")
    if clip:
        x = norm(x, "pre_layrnorm")

    states = [x]
    heads, head_dim = config.num_attention_heads, config.hidden_size // config.num_attention_heads

    def run(i, x, reducer=None):
        """One layer; with a reducer, rows may leave between its halves. Returns the rows, the attention and the keys."""
        layer = f"encoder.layers.{i}."
        n = norm(x, layer + "layer_norm1")
        q, k, v = (linear(n, weights, f"vision_tower.{layer}self_attn.{p}_proj").reshape(-1, heads, head_dim).transpose(0, 1)
                   for p in "qkv")
        logits = q @ k.transpose(1, 2) * head_dim ** -0.5
        bias = reducer.bias() if reducer else None
        attention = torch.softmax(logits if bias is None else logits + bias, -1)
        mixed = (attention @ v).transpose(0, 1).reshape(len(x), -1)
        x = x + linear(mixed, weights, f"vision_tower.{layer}self_attn.out_proj")
        if reducer:
            x = reducer.reduce(i, x, logits, attention, k)
        n = linear(norm(x, layer + "layer_norm2"), weights, f"vision_tower.{layer}mlp.fc1")
        return x + linear(ACTIVATIONS[config.hidden_act](n), weights, f"vision_tower.{layer}mlp.fc2"), attention, k

    for i in range(config.num_hidden_layers):
        if reducer:
            x = reducer.before(i, x, lambda layer, rows: run(layer, rows)[:2], config.num_hidden_layers)
            other = reducer.around(i, x, lambda layer, rows: run(layer, rows)[0])
            if other is not None:
                x = other
                states.append(x)
                continue
        x, attention, k = run(i, x, reducer)
        if inside is not None:
            inside.append((attention, k))
        states.append(x)
    return states


def vision_features(config, weights, pixels):
    """The rows that the projector reads."""
    states = vision_hidden_states(config.vision, weights, pixels)
    layers = config.feature_layer if isinstance(config.feature_layer, list) else [config.feature_layer]
    chosen = torch.cat([states[layer] for layer in layers], -1)
    return chosen[1:] if config.feature_strategy == "default" else chosen


def project(config, weights, features):
    hidden = ACTIVATIONS[config.projector_act](linear(features, weights, "multi_modal_projector.linear_1"))
    return linear(hidden, weights, "multi_modal_projector.linear_2")


# ---- decoder ------------------------------------------------------------------------------------------------------


def rms_norm(x, weight, eps):
    return weight * (x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps))


def rotate(x, positions, theta):
    """[heads, rows, head_dim]; first half against second half."""
    half = x.shape[-1] // 2
    frequency = 1.0 / theta ** (torch.arange(half, dtype=torch.float32) * 2 / x.shape[-1])
    angle = positions[:, None].float() * frequency
    cos, sin = angle.cos(), angle.sin()
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Less:
    """What visual rows leave out in one layer."""

    def __init__(self, policy, i, seen, tokens, grid):
        """seen: the visual rows that are there, tokens: the patch of each."""
        self.seen, self.reads, self.heads, self.neurons, self.gap = seen, None, [], None, 1.0
        row, key = torch.arange(len(seen))[:, None], torch.arange(len(seen))[None]
        for layer, heads in policy.heads:
            self.heads += heads if layer == i else ()
        if policy.yopo and i >= policy.yopo[3]:
            w, ratio, _, _, causal = policy.yopo
            if w:
                at = torch.tensor(tokens)
                line, column = at // grid, at % grid
                near = ((line[:, None] - line).abs() <= (w - 1) // 2) & ((column[:, None] - column).abs() <= (w - 1) // 2)
                self.reads = near & (key <= row) if causal else near
            if ratio > 1:
                self.neurons = lambda gated: torch.arange(gated.shape[1] // ratio)
        if policy.lens and i in policy.lens[0]:
            _, k, m, reach = policy.lens
            if reach:
                self.reads = (key <= row) & (row - key <= reach)
            if k:
                self.neurons = lambda gated: self.probed(gated, k, round(1 / m))

    def probed(self, gated, k, stride):
        mean = gated[self.seen[::stride]].abs().mean(0).tolist()
        chosen = keep_highest(mean, round(k * len(mean)))
        self.gap = gap(mean, chosen)
        return torch.tensor(chosen)

    def hide(self, allowed):
        if self.reads is not None:
            allowed[self.seen[:, None], self.seen[None]] = self.reads

    def drop_heads(self, mixed):
        for head in self.heads:
            mixed[head, self.seen] = 0

    def drop_neurons(self, gated):
        if self.neurons is not None:
            used = torch.zeros(gated.shape[1])
            used[self.neurons(gated)] = 1
            gated[self.seen] = gated[self.seen] * used


def decoder_layer(config, weights, i, x, positions, past=None, visible=None, order=None, between=None, skipped=None, products=None, less=None, hidden=None):
    """One layer over the rows `x`. Keys are those of `past` and then the rows' own.

    visible: optional bool per key; a key that is not visible is read by no row except itself.
    order: what says which key comes before which row; the positions, unless given.
    between: optional; gets the rows behind the attention and the products of queries and keys [heads, rows, keys], not masked,
    and returns the rows that go on.
    hidden: optional bool per row and key; such a key is not read by that row.
    skipped: optional bool per row; such a row passes the feed-forward layer unchanged.
    products: optional list that receives the products of queries and keys [heads, rows, keys], masked.
    less: optional; what visual rows leave out.
    Returns the rows after the layer, (keys, values, key positions) for the cache, and the attention [heads, rows, keys].
    """
    layer = f"language_model.layers.{i}."
    heads, kv_heads, head_dim = config.num_attention_heads, config.num_key_value_heads, config.head_dim

    n = rms_norm(x, weights[layer + "input_layernorm.weight"], config.rms_norm_eps)
    q = linear(n, weights, layer + "self_attn.q_proj").reshape(-1, heads, head_dim).transpose(0, 1)
    k = linear(n, weights, layer + "self_attn.k_proj").reshape(-1, kv_heads, head_dim).transpose(0, 1)
    v = linear(n, weights, layer + "self_attn.v_proj").reshape(-1, kv_heads, head_dim).transpose(0, 1)
    q, k = rotate(q, positions, config.rope_theta), rotate(k, positions, config.rope_theta)
    key_positions = positions
    if past is not None:
        k, v, key_positions = torch.cat([past[0], k], 1), torch.cat([past[1], v], 1), torch.cat([past[2], positions])
    cache = (k, v, key_positions)

    k, v = (t.repeat_interleave(heads // kv_heads, 0) for t in (k, v))
    key_order, order = (key_positions, positions) if order is None else (order, order)
    allowed = key_order[None, :] <= order[:, None]
    if visible is not None:
        allowed = allowed & (visible[None, :] | (key_order[None, :] == order[:, None]))
    if less is not None:
        less.hide(allowed)
    if hidden is not None:
        allowed = allowed & ~hidden
    logits = (q @ k.transpose(1, 2)) * head_dim ** -0.5
    attention = torch.softmax(logits.masked_fill(~allowed, float("-inf")), -1)
    if products is not None:
        products.append(logits.masked_fill(~allowed, float("-inf")))
    mixed = attention @ v
    if less is not None:
        less.drop_heads(mixed)
    mixed = mixed.transpose(0, 1).reshape(len(x), -1)
    x = x + linear(mixed, weights, layer + "self_attn.o_proj")
    if between is not None:
        x = between(x, logits)

    n = rms_norm(x, weights[layer + "post_attention_layernorm.weight"], config.rms_norm_eps)
    gated = ACTIVATIONS[config.hidden_act](linear(n, weights, layer + "mlp.gate_proj")) * linear(n, weights, layer + "mlp.up_proj")
    if less is not None:
        less.drop_neurons(gated)
    fed = x + linear(gated, weights, layer + "mlp.down_proj")
    return fed if skipped is None else torch.where(skipped[:, None], x, fed), cache, attention


@dataclass
class Image:
    """Visual rows for the decoder."""
    rows: torch.Tensor
    places: torch.Tensor  # of each row among the positions that the image takes
    positions: int  # that the image takes
    kept: list = field(default_factory=list)  # per reduction before the decoder: the token that each row stands for, -1: CLS
    gaps: list = field(default_factory=list)  # per reduction: relative distance of the lowest kept and the highest dropped score

    @staticmethod
    def whole(rows):
        return Image(rows, torch.arange(len(rows)), len(rows))


@dataclass
class Prefill:
    logits: torch.Tensor  # of the last row
    caches: list  # per layer: keys, values, positions
    rows: list = field(default_factory=list)  # per layer: rows that went through it (= rows in its cache)
    last_rows: list = field(default_factory=list)  # per layer: the last row after it
    kept: Optional[list] = None  # FastV: indices among the visual tokens
    scores: Optional[list] = None  # FastV: one per visual token
    survivors: list = field(default_factory=list)  # per prune: indices among the visual tokens of the image
    held: Optional[list] = None  # with merges in the decoder: per visual row that is left, the tokens of the image that it is made of
    gap: float = 1.0  # the smallest relative distance between the lowest kept and the highest dropped score
    texts: list = field(default_factory=list)  # per layer: the text token that each row of its cache holds, -1 for the others
    evicted: list = field(default_factory=list)  # SepLLM: per decoded token, the text tokens that left before it
    skips: list = field(default_factory=list)  # FFN-SkipLLM: per decoded token, the layers whose feed-forward layer did not run
    exit: Optional[int] = None  # DyVTE: the layer behind which a gate let all visual tokens leave


class Llava:
    def __init__(self, folder):
        self.config = read_config(folder)
        self.weights = read_weights(folder)
        self.folder = pathlib.Path(folder)
        self.registers = torch.zeros(0, self.config.text.hidden_size)
        self.gates, self.gate_gap = None, 1.0
        self.sparse_gap = 1.0
        self.relevance = None  # what stands for the substitute of CDPruner and Recoverable Compression: features -> how relevant each is (clip_text.py)
        self.skip_gap, self.skips = 1.0, []
        tokenizer = Tokenizer(folder)
        # Twice, since decoding may take a space away in front.
        texts = ((i, tokenizer.decode([i, i])) for i in range(len(self.weights["language_model.embed_tokens.weight"])))
        self.separators = {i for i, text in texts if text and set(text) <= set(".,?!;: \t\n")}

    def learned(self, policy):
        """The model with what the policy's method learned."""
        if not policy.victor or len(self.registers):
            return self
        tensors = {canonical_name(k): v for k, v in read_safetensors(self.folder / f"victor-{policy.victor[0]}.safetensors").items()}
        other = copy.copy(self)
        other.registers = tensors.pop("victor.registers")
        assert other.registers.shape == (policy.victor[0], self.config.text.hidden_size)
        assert all(tensors[k].shape == self.weights[k].shape for k in tensors)
        other.weights = {**self.weights, **tensors}
        return other

    @property
    def layers(self):
        return self.config.text.num_hidden_layers

    def encode_image(self, pixels):
        """[3, H, W] -> tower features, projected visual embeddings."""
        with torch.no_grad():
            features = vision_features(self.config, self.weights, pixels)
            return features, project(self.config, self.weights, features)

    def full_width(self, x, layer):
        """Queries and keys [rows, hidden] of a tower layer for its input rows, all heads as one."""
        name = f"vision_tower.encoder.layers.{layer}."
        n = F.layer_norm(x, x.shape[-1:], self.weights[name + "layer_norm1.weight"], self.weights[name + "layer_norm1.bias"], self.config.vision.layer_norm_eps)
        return linear(n, self.weights, name + "self_attn.q_proj"), linear(n, self.weights, name + "self_attn.k_proj")

    def image(self, pixels, policy=Policy(), text=()):
        """Tower, projector, and the reductions before the decoder. `text` are the ids behind the image."""
        with torch.no_grad():
            inside, kept_by, gaps = [], [], []
            states = vision_hidden_states(self.config.vision, self.weights, pixels, inside)
            features = vision_features(self.config, self.weights, pixels)
            layer = len(states) + self.config.feature_layer - 1  # the layer whose output the features are
            tokens = list(range(len(features)))
            reducer = self.tower_reducer(policy, layer + 1)
            if reducer:
                side = self.config.vision.image_size // self.config.vision.patch_size
                cls = self.config.vision.model_type == "clip_vision_model"
                reducer.begin(len(features), side, cls)
                # Only the layers that the features need run.
                run = SimpleNamespace(**{**vars(self.config.vision), "num_hidden_layers": layer + 1})
                features = vision_hidden_states(run, self.weights, pixels, reducer=reducer)[-1][1 if cls else 0:]
                tokens = reducer.tokens
                gaps += reducer.gaps
                if not policy.pruneandmerge:  # all tokens are there again
                    kept_by.append(tokens)
            if policy.visionzip:
                cls = self.config.vision.model_type == "clip_vision_model"
                attention = cls_attention([inside[layer][0]]) if cls else inside[layer][0].mean((0, 1))  # what a patch receives
                keys = inside[layer][1].mean(0)[1 if cls else 0:]
                features, tokens = vision_zip(states[self.config.feature_layer], attention, keys, *policy.visionzip, cls=cls)
                gaps.append(gap(attention.tolist(), [t for t in tokens[:policy.visionzip[0]] if t >= 0]))
            elif policy.vtccls:
                keep, first = policy.vtccls
                last = min(layer, len(inside) - 2)  # the last layer of the tower never counts
                attention = cls_attention([a for a, _ in inside[first:last + 1]])
                tokens = keep_highest(attention.tolist(), keep)
                features = features[tokens]
                gaps.append(gap(attention.tolist(), tokens))
            elif policy.similarity:
                kind, cut, window, least, most = policy.similarity
                scores = cls_cosine(states[self.config.feature_layer]) if kind == "cosine" else cls_attention([inside[layer][0]])
                tokens, clear = similar_to_cls(scores, cut, window, least, most)
                features = features[tokens]
                gaps += [gap(scores.tolist(), tokens), clear]
            elif policy.prumerge:
                neighbours, plus = policy.prumerge
                q, k = self.full_width(states[len(states) - 2], len(states) - 2)
                scores = torch.softmax(q[:1] @ k.T * k.shape[1] ** -0.5, -1)[0, 1:].tolist()
                tokens = pru_merge_tokens(scores, plus)
                features = pru_merge(states[self.config.feature_layer][1:], k[1:], scores, tokens, neighbours)
                by_score = sorted(scores, reverse=True)
                gaps.append(min((a - b) / a for a, b in zip(by_score, by_score[1:])))
                gaps.append(min(abs(s / quartile_threshold(scores) - 1) for s in scores))
                tokens = tokens + [-2]
            elif policy.recoverable:
                q, k = self.full_width(states[len(states) - 2], len(states) - 2)
                scores = torch.softmax(q[:1] @ k.T * k.shape[1] ** -0.5, -1)[0, 1:].tolist()
                if self.relevance:
                    text_scores = (-self.relevance(features)).tolist()  # CDPruner negates the cosine
                else:
                    mean = self.embed(text).double().mean(0)
                    text_scores = F.cosine_similarity(project(self.config, self.weights, features).double(), mean[None], dim=-1, eps=0).tolist()
                tokens, features, clears = recoverable(features, k[1:], scores, text_scores, *policy.recoverable)
                gaps += clears
            elif policy.fopru:
                kind, strategy, count = policy.fopru
                cls = 1 if len(features) < len(states[0]) else 0
                attention = inside[layer][0]
                scores = (attention[:, 0] if kind == "cls" else attention.mean(1)).mean(0)[cls:].tolist()
                if strategy == "rank":
                    tokens = keep_highest(scores, count)
                    gaps.append(gap(scores, tokens))
                else:
                    tokens, sums, chosen = fo_pru_rows(scores, self.config.vision.image_size // self.config.vision.patch_size, count)
                    gaps.append(gap(sums, chosen))
                features = features[tokens]
            if policy.visionzip or policy.vtccls or policy.similarity or policy.prumerge or policy.recoverable or policy.fopru:
                kept_by.append(tokens)
            image = Image.whole(project(self.config, self.weights, features))
            image.kept, image.gaps = kept_by, gaps
            if policy.aim and policy.aim[0] > 0:
                image.rows, stands, clear = aim_merge(image.rows, policy.aim[0], *policy.aim[3:])
                image.places, image.positions = torch.arange(len(stands)), len(stands)
                gaps.append(clear)
                kept_by.append([tokens[i] for i in stands])
            if policy.divprune or policy.gprune or policy.cdpruner:
                if policy.cdpruner:
                    mean = self.embed(text).double().mean(0)
                    relevance = self.relevance(features) if self.relevance else F.cosine_similarity(image.rows.double(), mean[None], dim=-1, eps=0)
                    relevance = normalised_relevance(relevance)
                    kept = sorted(cd_pruner(image.rows, relevance, policy.cdpruner))
                    image.places, image.positions = torch.arange(len(kept)), len(kept)
                elif policy.divprune:
                    kept = sorted(div_prune(image.rows, policy.divprune))
                    assert kept == sorted(div_prune(image.rows.double(), policy.divprune))
                    image.places, image.positions = torch.arange(len(kept)), len(kept)
                else:
                    scores = g_prune_scores(image.rows, *policy.gprune[1:]).tolist()
                    keep = policy.gprune[0]
                    kept = keep_highest(scores, keep if isinstance(keep, int) else max(1, int(len(scores) * keep)))
                    image.places = image.places[kept]
                    gaps.append(gap(scores, kept))
                image.rows = image.rows[kept]
                kept_by.append([tokens[i] for i in kept])
            return image

    def gate(self, policy, i, suffix):
        """True if the gate behind layer i lets the visual tokens leave; `suffix` are its rows behind that layer."""
        if not policy.dyvte or not max(0, *[b - 1 for b in policy.boundaries(self.layers)], 0) <= i < self.layers - 1:
            return False
        if self.gates is None:
            self.gates = read_safetensors(self.folder / "dyvte.safetensors")
        both = torch.cat([suffix[:-1].mean(0) if len(suffix) > 1 else suffix[-1], suffix[-1]])
        first, second = (self.gates[f"model.visual_gates_router.{i}.w{w}.weight"] for w in (1, 2))
        stay, leave = (second @ ACTIVATIONS["gelu"](first @ both)).tolist()
        self.gate_gap = min(self.gate_gap, abs(stay - leave))
        return stay < leave

    def tower_reducer(self, policy, layers):
        if policy.ficoco_v:
            return FiCoCoV(**policy.ficoco_v)
        if policy.elip:
            return Elip(**policy.elip)
        if policy.pruneandmerge:
            named, rows = policy.pruneandmerge
            tensors = read_safetensors(self.folder / f"prune-and-merge-{rows}.safetensors")
            merge, recover = ({i: tensors[f"prune_and_merge.layers.{i}.{kind}"] for i in named if f"prune_and_merge.layers.{i}.{kind}" in tensors} for kind in ("merge", "recover"))
            return PruneAndMerge(merge, recover)
        return ToMe(**policy.tome, layers=layers) if policy.tome else None

    def less(self, policy, i, seen, tokens):
        """What the visual rows `seen`, which are these patches, leave out in layer i; None if nothing."""
        if not (policy.yopo or policy.heads or policy.lens) or len(seen) == 0 or i in policy.shortv:
            return None
        return Less(policy, i, seen, tokens, self.config.vision.image_size // self.config.vision.patch_size)

    def embed(self, ids):
        return self.weights["language_model.embed_tokens.weight"][torch.tensor(ids, dtype=torch.long)]

    def head(self, rows):
        rows = rms_norm(rows, self.weights["language_model.norm.weight"], self.config.text.rms_norm_eps)
        return F.linear(rows, self.weights["lm_head.weight"])

    def raters(self, policy, visual, suffix):
        """SparseVLM: which rows of the suffix rate."""
        if not policy.sparse_vlm:
            return None
        _, raters, clear = text_raters(visual, self.embed(suffix))
        self.sparse_gap = min(self.sparse_gap, clear)
        return raters

    def sparse_prune(self, policy, stage, visual_rows, attention, text_positions, visual_positions):
        """SparseVLM behind one of its layers; `attention` is that of the raters, the positions are theirs and those of the visual rows."""
        n = len(visual_rows)
        if "heads" in policy:
            response = ones_response(text_positions, visual_positions, self.config.text.head_dim, self.config.text.rope_theta)
            scores, clear = sparse_vlm_plus(attention.double(), response, policy["heads"])
            kept = keep_highest(scores.tolist(), min(policy["keep"][stage], n))
            self.sparse_gap = min(self.sparse_gap, clear, gap(scores.tolist(), kept) if len(kept) < n else 1.0)
            return kept, None, None
        scores, tau = attention.mean((0, 1)).tolist(), policy.get("tau", 0.3)
        rank = int(torch.linalg.matrix_rank(attention.mean(0)))
        if "scale" in policy:
            keep = first_release(rank, n, policy["scale"], policy.get("bias", 0))
        elif "lam" in policy:
            keep = n - int(policy["lam"] * (n - rank))
        else:
            keep = min(policy["keep"][stage], n - 1 if tau > 0 else n)
        if tau == 0:
            kept = keep_highest(scores, max(1, keep))
            self.sparse_gap = min(self.sparse_gap, gap(scores, kept))
            return kept, None, None
        kept, weights, gaps = sparse_vlm(visual_rows, scores, keep, tau)
        self.sparse_gap = min([self.sparse_gap, *gaps])
        return kept, None, weights

    def prune(self, policy, i, tokens, visual_rows, attention, ahead, rank, rated, pivots):
        """What the policy keeps before layer i: indices among the visual rows that are there, their scores (None for
        chance), and for a merge the weights that make the new rows of all of them (else None); or None. `visual_rows` are those rows, `attention` [heads, rows, visual] that of the text rows behind the
        image on them in the layer before, `ahead` computes that of the last row for the layer that follows, `rank` AIM's importance of the visual rows in the layer before, `tokens` counts the visual tokens of the image,
        `rated` gives the attention of the raters in the layer before, their positions and those of the visual rows,
        `pivots` the keys of that layer and the rows of the visual tokens and of the text behind the image."""
        if policy.sparse_vlm and i - 1 in policy.sparse_vlm["layers"]:
            return self.sparse_prune(policy.sparse_vlm, policy.sparse_vlm["layers"].index(i - 1), visual_rows, *rated())
        if policy.pyramid:
            ratio, stages = policy.pyramid
            stage, rest = divmod(i, self.layers // stages)
            if rest == 0 and 1 <= stage < stages:
                scores = ahead().mean(0).tolist()
                return keep_highest(scores, min(len(scores), max(1, int(tokens * ratio ** stage)))), scores, None
        if policy.dart and policy.dart[0] == i:
            _, ratio, image, text = policy.dart
            keys, rows = pivots()
            norms = [k.abs().sum((0, 2)).tolist() for k in keys]
            normed = [rms_norm(r, self.weights["language_model.norm.weight"], self.config.text.rms_norm_eps) for r in rows]
            kept, clear = dart(*norms, *normed, 1 - ratio, image, text)
            assert clear > 1e-5, clear
            return kept, None, None
        if policy.aim and policy.aim[1] + 1 < i <= policy.aim[2]:
            scores = rank().tolist()
            first, last = policy.aim[1:3]
            return keep_highest(scores, min(len(scores), max(1, int(tokens * ((last - i + 1) / (last - first)))))), scores, None
        for layer, count, seed in policy.random:
            if layer == i:
                return keep_random(len(visual_rows), count, seed), None, None
        for layer, count in policy.norm:
            if layer == i:
                scores = visual_rows.double().norm(dim=1).tolist()
                return keep_highest(scores, count), scores, None
        for layer, count in policy.merge:
            if layer == i:
                scores = visual_rows.double().norm(dim=1).tolist()
                kept = keep_highest(scores, count)
                return kept, scores, average_into(visual_rows, kept)
        if policy.relevance and policy.relevance[0] == i:
            scores = attention.mean((0, 1)).tolist()
            kept, clear = relevant(scores, policy.relevance[1])
            assert clear > 1e-4, clear
            return kept, scores, None
        if policy.fastv and policy.fastv[0] == i:
            asked = attention if policy.fastv_rows == "mean" else attention[:, -1:]
            scores = asked.mean((0, 1)).tolist()
            return keep_highest(scores, keep_count(len(scores), policy.fastv[1])), scores, None
        return None

    @staticmethod
    def relevant_text(attention, policy):
        """Which text rows behind the image stay, given their attention [heads, rows, rows] on each other."""
        scores = attention.mean((0, 1)).tolist()
        kept, clear = relevant(scores, policy.relevance[1])
        assert clear > 1e-4, clear
        return [i in kept or i == len(scores) - 1 for i in range(len(scores))]

    def prefill(self, prefix, visual, suffix, policy=Policy()):
        """The whole prompt through all layers; rows that leave are physically dropped."""
        policy.validate(self.layers)
        self = self.learned(policy)
        with torch.no_grad():
            image = visual if isinstance(visual, Image) else Image.whole(visual)
            x = torch.cat([self.embed(prefix), image.rows, self.registers, self.embed(suffix)])
            positions = row_positions(prefix, image, len(self.registers) + len(suffix))
            is_visual = (torch.arange(len(x)) >= len(prefix)) & (torch.arange(len(x)) < len(prefix) + len(image.rows))
            texts = torch.cat([torch.arange(len(prefix)), torch.full((len(image.rows) + len(self.registers),), -1), len(prefix) + torch.arange(len(suffix))])
            out = Prefill(None, [])
            tokens, attention = image.kept[-1] if image.kept else list(range(len(image.rows))), None
            held = torch.eye(len(image.rows), dtype=torch.bool)
            behind = len(suffix)  # text rows behind the image that are there
            products = []
            raters = self.raters(policy, image.rows, suffix)
            for i in range(self.layers):
                pruned = self.prune(policy, i, len(image.rows), x[is_visual], None if attention is None else attention[:, -behind:, is_visual],
                                    lambda: decoder_layer(self.config.text, self.weights, i, x, positions)[2][:, -1, is_visual],
                                    lambda: page_rank(products[-1])[is_visual],
                                    lambda: (attention[:, -behind:, is_visual][:, raters], positions[-behind:][raters], positions[is_visual]),
                                    lambda: ([out.caches[-1][0][:, is_visual], out.caches[-1][0][:, -behind:]], [x[is_visual], x[-behind:]]))
                if pruned is not None:
                    kept, scores, weights = pruned
                    if weights is None:
                        held = held[kept]
                    else:
                        # The new rows take the places of the kept ones, in their order.
                        held = (weights != 0).float() @ held.float() > 0
                        places = len(prefix) + torch.tensor(sorted(kept))
                        x = x.index_copy(0, places, weights @ x[is_visual])
                    tokens = [tokens[k] for k in kept]
                    out.survivors.append(tokens)
                    if scores is not None:
                        out.gap = min(out.gap, gap(scores, kept))
                    if policy.fastv and policy.fastv[0] == i:
                        out.kept, out.scores = kept, scores
                    stay = ~is_visual
                    stay[len(prefix) + torch.tensor(kept, dtype=torch.long)] = True
                    if policy.relevance and policy.relevance[0] == i and policy.relevance[2]:
                        stay[-behind:] = torch.tensor(self.relevant_text(attention[:, -behind:, -behind:], policy))
                        behind = int(stay[-behind:].sum())
                    x, positions, is_visual, texts = x[stay], positions[stay], is_visual[stay], texts[stay]
                    if policy.renumbers(i, self.layers):
                        positions = torch.arange(len(x))
                if policy.exit == i or out.exit == i - 1:
                    held = held[:0]
                    x, positions, is_visual, texts = x[~is_visual], positions[~is_visual], is_visual[~is_visual], texts[~is_visual]

                def merge(rows, products):
                    nonlocal tokens, held, is_visual, texts
                    first = len(prefix)
                    kept, weights, gaps = ficoco_l(products[:, first:], first, len(suffix), policy.ficoco_l[0], *policy.ficoco_l[2:])
                    out.gap = min(out.gap, *gaps)
                    tokens = [tokens[k] for k in kept]
                    out.survivors.append(tokens)
                    held = (weights != 0).float() @ held.float() > 0
                    rows = torch.cat([rows[:first], weights @ rows[is_visual], rows[-len(suffix):]])
                    is_visual = (torch.arange(len(rows)) >= first) & (torch.arange(len(rows)) < len(rows) - len(suffix))
                    texts = torch.cat([texts[:first], torch.full((len(kept),), -1), texts[-len(suffix):]])
                    return rows

                out.texts.append(texts.tolist())
                before = x
                inside = policy.inside(i, self.layers)
                less = self.less(policy, i, is_visual.nonzero()[:, 0], tokens)
                x, cache, attention = decoder_layer(self.config.text, self.weights, i, x, positions, between=merge if inside else None, products=products, less=less)
                out.gap = min(out.gap, less.gap if less else 1.0)
                if inside:
                    positions, attention = torch.arange(len(x)), None
                if i in policy.shortv:
                    x = torch.where(is_visual[:, None], before, x)
                out.caches.append(cache)
                out.rows.append(cache[0].shape[1])
                out.last_rows.append(x[-1])
                if out.exit is None and self.gate(policy, i, x[-len(suffix):]):
                    out.exit = i
            if policy.merges() and not image.kept:
                out.held = [row.nonzero()[:, 0].tolist() for row in held]
            out.logits = self.head(x[-1])
            return out

    def turned(self, policy, before, after):
        """Per row, true if the feed-forward layer between the two hardly turned it."""
        cosines = F.cosine_similarity(before.double(), after.double(), dim=-1)
        self.skip_gap = min([self.skip_gap, *(cosines - policy.ffn_skip[0]).abs().tolist()])
        return cosines >= policy.ffn_skip[0]

    def leaving(self, policy, ids):
        """The numbers of the text tokens that have left once all of `ids` have run."""
        a, n = policy.sepllm
        last = max((i for i, token in enumerate(ids) if token in self.separators), default=-1)
        return [i for i in range(a, last - n + 1) if ids[i] not in self.separators]

    def decode(self, caches, token, policy=Policy(), step=1):
        """One token after the cached rows, the step-th of an answer. Returns its logits and the longer caches; `skips` tells the layers whose feed-forward layer did not run."""
        with torch.no_grad():
            x, longer, left, self.skips = self.embed([token]), [], 0, []
            for i in range(self.layers):
                positions = caches[i][2][-1:] + 1
                before = None

                def remember(rows, _):
                    nonlocal before
                    before = rows
                    return rows

                skips = left > 0 and policy.may_skip(i, self.layers)
                x, cache, _ = decoder_layer(self.config.text, self.weights, i, x, positions, past=caches[i], between=remember, skipped=torch.tensor([skips]))
                longer.append(cache)
                if skips:
                    left -= 1
                    self.skips.append(i)
                elif policy.may_skip(i, self.layers) and step > policy.ffn_skip[4] and self.turned(policy, before, x)[0]:
                    left = policy.ffn_skip[1]
            return self.head(x[-1]), longer

    def generate(self, prefix, visual, suffix, policy=Policy(), steps=8):
        """Greedy unless the policy says what is said, not stopping at an end token. Returns the prefill, `steps` tokens and the logits after each of them."""
        original, self = self, self.learned(policy)
        prefill = self.prefill(prefix, visual, suffix, policy)
        logits, caches, tokens, after = prefill.logits, prefill.caches, [], []
        prefill.skips = []
        gone = set()
        for _ in range(steps):
            if policy.sepllm:
                left = set(self.leaving(policy, [*prefix, *suffix, *tokens])) - gone
                gone |= left
                prefill.evicted.append(sorted(left))
                for i, (k, v, places) in enumerate(caches):
                    stay = torch.tensor([text not in left for text in prefill.texts[i]])
                    caches[i] = (k[:, stay], v[:, stay], places[stay])
                    prefill.texts[i] = [text for text in prefill.texts[i] if text not in left] + [len(prefix) + len(suffix) + len(tokens)]
            tokens.append(policy.said[len(tokens)] if policy.said else first_highest(logits))
            logits, caches = self.decode(caches, tokens[-1], policy, len(tokens))
            prefill.skips.append(self.skips)
            after.append(logits)
        original.skip_gap = min(original.skip_gap, self.skip_gap)
        return prefill, tokens, after

    def masked_logits(self, prefix, visual, suffix, policy=Policy(), continuation=()):
        """The same by another route: nothing ever leaves and nothing is cached; columns are hidden instead.

        Returns the logits of the last prompt row and of every row of `continuation`, and the survivors of each prune.
        """
        policy.validate(self.layers)
        self = self.learned(policy)
        with torch.no_grad():
            image = visual if isinstance(visual, Image) else Image.whole(visual)
            x = torch.cat([self.embed(prefix), image.rows, self.registers, self.embed(list(suffix) + list(continuation))])
            order = torch.arange(len(x))
            positions = row_positions(prefix, image, len(self.registers) + len(suffix) + len(continuation))
            start, stop = len(prefix), len(prefix) + len(image.rows)
            text = stop + len(self.registers)
            last = text + len(suffix) - 1
            visible = torch.ones(len(x), dtype=torch.bool)
            attention, survivors, exited, products = None, [], None, []
            hidden = torch.zeros(len(x), len(x), dtype=torch.bool) if policy.sepllm else None
            for step in range(len(continuation) if policy.sepllm else 0):
                # Text token j is row j of the prefix, or lies behind the image.
                for j in self.leaving(policy, [*prefix, *suffix, *continuation[:step]]):
                    hidden[last + 1 + step, j if j < start else j - start + text] = True
            raters = self.raters(policy, image.rows, suffix)
            skipping = torch.zeros(len(x), dtype=torch.long)  # feed-forward layers that each row still skips
            tokens = image.kept[-1] if image.kept else list(range(len(image.rows)))
            for i in range(self.layers):
                seen = start + visible[start:stop].nonzero()[:, 0]
                there = visible.nonzero()[:, 0]  # what is behind the last row of the prompt takes no part
                there = there[there <= last]
                pruned = self.prune(
                    policy, i, len(image.rows), x[seen], None if attention is None else attention[:, text:last + 1, seen],
                    lambda: decoder_layer(self.config.text, self.weights, i, x, positions, visible=visible, order=order)[2][:, last, seen],
                    lambda: page_rank(products[-1][:, there][:, :, there])[start:start + len(seen)],
                    lambda: (attention[:, text:last + 1, seen][:, raters], positions[text:last + 1][raters], positions[seen]),
                    lambda: ([keys[:, seen], keys[:, text:last + 1]], [x[seen], x[text:last + 1]]))
                if pruned is not None:
                    kept, _, weights = pruned
                    tokens = [tokens[k] for k in kept]
                    survivors.append(tokens)
                    mixed = None if weights is None else weights @ x[seen]
                    seen = seen[torch.tensor(sorted(kept), dtype=torch.long)]
                    x = x if mixed is None else x.index_copy(0, seen, mixed)
                    visible[start:stop] = False
                    visible[seen] = True
                    if policy.relevance and policy.relevance[0] == i and policy.relevance[2]:
                        visible[stop:last + 1] = torch.tensor(self.relevant_text(attention[:, stop:last + 1, stop:last + 1], policy))
                    if policy.renumbers(i, self.layers):  # hidden rows get the number of the row before; nobody reads it
                        positions = (visible.long().cumsum(0) - 1).clamp(min=0)
                if policy.exit == i or exited == i - 1:
                    visible[start:stop] = False
                def merge(rows, products):
                    nonlocal tokens, left
                    seen = start + visible[start:stop].nonzero()[:, 0]
                    asked = torch.cat([seen, torch.arange(stop, last + 1)])
                    read = torch.cat([torch.arange(start), asked])
                    kept, weights, _ = ficoco_l(products[:, asked][:, :, read], start, len(suffix), policy.ficoco_l[0], *policy.ficoco_l[2:])
                    tokens = [tokens[k] for k in kept]
                    survivors.append(tokens)
                    left = seen[kept]
                    return rows.index_copy(0, left, weights @ rows[seen])

                def remember(rows, _):
                    nonlocal between
                    between = rows
                    return rows

                before, left, between = x, None, None
                hot = policy.may_skip(i, self.layers)
                skips = (skipping > 0) if hot else None
                x, (keys, *_), attention = decoder_layer(self.config.text, self.weights, i, x, positions, visible=visible, order=order, skipped=skips, hidden=hidden,
                                                between=merge if policy.inside(i, self.layers) else remember if hot else None, products=products,
                                                less=self.less(policy, i, start + visible[start:stop].nonzero()[:, 0], tokens))
                if hot:
                    found = torch.zeros(len(x), dtype=torch.bool)
                    warm = last + 1 + policy.ffn_skip[4]
                    found[warm:] = ~skips[warm:] & self.turned(policy, between[warm:], x[warm:])
                    skipping = torch.where(found, policy.ffn_skip[1], (skipping - 1).clamp(min=0))
                if left is not None:
                    visible[start:stop] = False
                    visible[left] = True
                    positions, attention = (visible.long().cumsum(0) - 1).clamp(min=0), None
                if i in policy.shortv:
                    x = torch.cat([x[:start], before[start:stop], x[stop:]])
                if exited is None and self.gate(policy, i, x[text:last + 1]):
                    exited = i
            return self.head(x[last:]), survivors


def gap(scores, kept):
    """Relative distance between the lowest kept and the highest dropped score."""
    low, high = min(scores[i] for i in kept), max((scores[i] for i in set(range(len(scores))) - set(kept)), default=0.0)
    return (low - high) / abs(low)


def row_positions(prefix, image, behind):
    """The position of every row: text, image, rows behind it."""
    start = len(prefix)
    return torch.cat([torch.arange(start), start + image.places, start + image.positions + torch.arange(behind)])


def first_highest(logits):
    return max(range(len(logits)), key=lambda i: (float(logits[i]), -i))
