"""Writes a training checkpoint as a Hugging Face model folder.

    python3 export.py artifacts/training/joint.pt ../models/shapes
"""
import sys

import torch

from folder import write_folder
from model import Llava
from scenes import language
from tokenizer import Tokenizer
from train import VOCABULARY

checkpoint, folder = sys.argv[1:]
torch.manual_seed(0)
model = Llava(VOCABULARY)
state = torch.load(checkpoint)
prefix = "model."
model.load_state_dict({k[len(prefix):]: v for k, v in state["parts"].items() if k.startswith(prefix)})
write_folder(folder, model, Tokenizer.learn(list(language())))
print(f"step {state['step']} -> {folder}")
