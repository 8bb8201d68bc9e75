"""LLaVA in PyTorch, small: CLIP tower, two-layer projector, LLaMA decoder. Parameter names are those of the files."""
import math

import torch
import torch.nn.functional as F
from torch import nn

from scenes import GRID, IMAGE_SIZE, PATCH_SIZE

VISION = {
    "model_type": "clip_vision_model",
    "hidden_size": 128,
    "intermediate_size": 512,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_channels": 3,
    "image_size": IMAGE_SIZE,
    "patch_size": PATCH_SIZE,
    "hidden_act": "quick_gelu",
    "layer_norm_eps": 1e-5,
    "attention_dropout": 0.0,
    "projection_dim": 128,
}

TEXT = {
    "model_type": "llama",
    "hidden_size": 192,
    "intermediate_size": 512,
    "num_hidden_layers": 10,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 32,
    "hidden_act": "silu",
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "attention_bias": False,
    "mlp_bias": False,
    "tie_word_embeddings": False,
}

FEATURE_LAYER = -2          # the output of the last layer but one; the last layer only serves the tower's own training
VISUAL_TOKENS = GRID * GRID


def heads(x, count):
    """[batch, rows, count * d] -> [batch, count, rows, d]"""
    return x.view(*x.shape[:-1], count, -1).transpose(1, 2)


def join(x):
    return x.transpose(1, 2).flatten(2)


# ---- CLIP ------------------------------------------------------------------------------------------------------------

class ClipAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        d = c["hidden_size"]
        self.count = c["num_attention_heads"]
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(d, d) for _ in range(4))

    def forward(self, x, rows=None):
        q, k, v = (heads(p(y), self.count) for p, y in ((self.q_proj, x[:, :rows]), (self.k_proj, x), (self.v_proj, x)))
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        return self.out_proj(join(scores.softmax(-1) @ v))


class ClipMlp(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.fc1 = nn.Linear(c["hidden_size"], c["intermediate_size"])
        self.fc2 = nn.Linear(c["intermediate_size"], c["hidden_size"])

    def forward(self, x):
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x))


class ClipLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.self_attn = ClipAttention(c)
        self.layer_norm1 = nn.LayerNorm(c["hidden_size"], c["layer_norm_eps"])
        self.mlp = ClipMlp(c)
        self.layer_norm2 = nn.LayerNorm(c["hidden_size"], c["layer_norm_eps"])

    def forward(self, x, rows=None):
        x = x[:, :rows] + self.self_attn(self.layer_norm1(x), rows)
        return x + self.mlp(self.layer_norm2(x))


class ClipEmbeddings(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, p = c["hidden_size"], c["patch_size"]
        self.class_embedding = nn.Parameter(torch.randn(d) * 0.02)
        self.patch_embedding = nn.Conv2d(c["num_channels"], d, p, p, bias=False)
        self.position_embedding = nn.Embedding((c["image_size"] // p) ** 2 + 1, d)

    def forward(self, pixels):
        patches = self.patch_embedding(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_embedding.expand(len(pixels), 1, -1), patches], 1)
        return x + self.position_embedding.weight


class ClipEncoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.layers = nn.ModuleList(ClipLayer(c) for _ in range(c["num_hidden_layers"]))


class ClipVisionModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embeddings = ClipEmbeddings(c)
        self.pre_layrnorm = nn.LayerNorm(c["hidden_size"], c["layer_norm_eps"])
        self.encoder = ClipEncoder(c)
        self.post_layernorm = nn.LayerNorm(c["hidden_size"], c["layer_norm_eps"])

    def forward(self, pixels):
        """The hidden state at the feature layer, CLS first."""
        x = self.pre_layrnorm(self.embeddings(pixels))
        for layer in self.encoder.layers[: FEATURE_LAYER + 1]:
            x = layer(x)
        return x

    def pooled(self, features):
        """CLS after the last layer, as CLIP's own training sees it."""
        return self.post_layernorm(self.encoder.layers[-1](features, rows=1)[:, 0])


class VisionTower(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.vision_model = ClipVisionModel(c)


class Projector(nn.Module):
    def __init__(self, vision, text):
        super().__init__()
        self.linear_1 = nn.Linear(vision["hidden_size"], text["hidden_size"])
        self.linear_2 = nn.Linear(text["hidden_size"], text["hidden_size"])

    def forward(self, x):
        return self.linear_2(F.gelu(self.linear_1(x)))


# ---- LLaMA -----------------------------------------------------------------------------------------------------------

class RmsNorm(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(c["hidden_size"]))
        self.eps = c["rms_norm_eps"]

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def rotary(c):
    frequencies = c["rope_theta"] ** (-torch.arange(0, c["head_dim"], 2).float() / c["head_dim"])
    angles = torch.arange(c["max_position_embeddings"]).float()[:, None] * frequencies
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


def attend_causally(q, k, v):
    """What the decoder does at inference."""
    later = torch.full((q.shape[-2], k.shape[-2]), -math.inf).triu(1)
    return (q @ k.transpose(-1, -2) + later).softmax(-1) @ v


class AttendInBlocks:
    """The same for several questions about one image: a shared context, then one block of rows for each question.

    A block sees the whole context and, causally, itself; it does not see the other blocks.
    """

    def __init__(self, context, blocks, rows):
        self.context, self.shape = context, (blocks, rows)
        self.later_context = torch.full((context, context), -math.inf).triu(1)
        self.later_row = torch.full((rows, rows), -math.inf).triu(1)
        self.positions = torch.arange(rows).repeat(blocks)

    def __call__(self, q, k, v):
        (qc, qb), (kc, kb), (vc, vb) = ((x[:, :, :self.context], x[:, :, self.context:]) for x in (q, k, v))
        context = (qc @ kc.transpose(-1, -2) + self.later_context).softmax(-1) @ vc
        qs, ks, vs = (x.unflatten(2, self.shape) for x in (qb, kb, vb))
        own = (qs @ ks.transpose(-1, -2) + self.later_row).flatten(2, 3)
        shared = qb @ kc.transpose(-1, -2)
        weights = torch.cat([shared, own], -1).softmax(-1)
        blocks = weights[..., :self.context] @ vc
        blocks = blocks + (weights[..., self.context:].unflatten(2, self.shape) @ vs).flatten(2, 3)
        return torch.cat([context, blocks], 2)


class LlamaAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, w = c["hidden_size"], c["head_dim"]
        self.count, self.kv_count = c["num_attention_heads"], c["num_key_value_heads"]
        self.q_proj = nn.Linear(d, self.count * w, bias=False)
        self.k_proj = nn.Linear(d, self.kv_count * w, bias=False)
        self.v_proj = nn.Linear(d, self.kv_count * w, bias=False)
        self.o_proj = nn.Linear(self.count * w, d, bias=False)

    def forward(self, x, cos, sin, attend):
        q = rotate(heads(self.q_proj(x), self.count), cos, sin)
        k = rotate(heads(self.k_proj(x), self.kv_count), cos, sin)
        v = heads(self.v_proj(x), self.kv_count)
        k, v = (y.repeat_interleave(self.count // self.kv_count, 1) for y in (k, v))
        return self.o_proj(join(attend(q * q.shape[-1] ** -0.5, k, v)))


class LlamaMlp(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, wide = c["hidden_size"], c["intermediate_size"]
        self.gate_proj, self.up_proj = nn.Linear(d, wide, bias=False), nn.Linear(d, wide, bias=False)
        self.down_proj = nn.Linear(wide, d, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class LlamaLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.self_attn = LlamaAttention(c)
        self.mlp = LlamaMlp(c)
        self.input_layernorm = RmsNorm(c)
        self.post_attention_layernorm = RmsNorm(c)

    def forward(self, x, cos, sin, attend):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, attend)
        return x + self.mlp(self.post_attention_layernorm(x))


class LlamaModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed_tokens = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.layers = nn.ModuleList(LlamaLayer(c) for _ in range(c["num_hidden_layers"]))
        self.norm = RmsNorm(c)
        self.tables = rotary(c)

    def forward(self, x, positions, attend):
        """Positions are [rows], or [batch, rows] where the images of a batch keep different tokens."""
        cos, sin = (t[positions] for t in self.tables)
        if positions.dim() == 2:
            cos, sin = cos[:, None], sin[:, None]
        for layer in self.layers:
            x = layer(x, cos, sin, attend)
        return self.norm(x)


class Llama(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.model = LlamaModel(c)
        self.lm_head = nn.Linear(c["hidden_size"], c["vocab_size"], bias=False)


class Llava(nn.Module):
    def __init__(self, vocab_size, vision=VISION, text=TEXT):
        super().__init__()
        self.vision_config, self.text_config = dict(vision), dict(text, vocab_size=vocab_size)
        self.vision_tower = VisionTower(self.vision_config)
        self.multi_modal_projector = Projector(self.vision_config, self.text_config)
        self.language_model = Llama(self.text_config)
        self.initialise()

    def initialise(self):
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features ** -0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.5)
        # Branches start small, so that the residual stream starts as the embeddings.
        for stack, outputs in ((self.vision_tower.vision_model.encoder.layers, ("out_proj", "fc2")),
                               (self.language_model.model.layers, ("o_proj", "down_proj"))):
            for name, parameter in stack.named_parameters():
                if name.endswith(tuple(o + ".weight" for o in outputs)):
                    parameter.data *= (2 * len(stack)) ** -0.5
        # Patches start out knowing where they are: sines of the row and of the column, as in a 2-D sinusoidal table.
        table = self.vision_tower.vision_model.embeddings.position_embedding.weight.data
        quarter = table.shape[1] // 4
        frequencies = math.pi / 2 * 2.0 ** torch.linspace(0, -4, quarter)
        row = torch.arange(GRID).repeat_interleave(GRID)[:, None] * frequencies
        column = torch.arange(GRID).repeat(GRID)[:, None] * frequencies
        table[1:] = torch.cat([row.sin(), row.cos(), column.sin(), column.cos()], 1) * 0.7
        table[0] = 0

    def look(self, pixels):
        """Pixels to visual tokens in the decoder's space: CLS is dropped, as vision_feature_select_strategy says."""
        return self.multi_modal_projector(self.vision_tower.vision_model(pixels)[:, 1:])

    def embed(self, ids):
        return self.language_model.model.embed_tokens(ids)

    def read(self, embedded, positions=None, attend=attend_causally):
        if positions is None:
            positions = torch.arange(embedded.shape[1])
        return self.language_model.lm_head(self.language_model.model(embedded, positions, attend))


MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])
DEVIATION = torch.tensor([0.26862954, 0.26130258, 0.27577711])


def pixels_of(images):
    """What preprocessor_config.json describes, for RGB images that have the right size already."""
    import numpy as np
    rgb = torch.from_numpy(np.stack([np.asarray(image) for image in images])).float() / 255
    return ((rgb - MEAN) / DEVIATION).permute(0, 3, 1, 2).contiguous()
