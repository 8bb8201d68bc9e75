"""Writes and reads a Hugging Face model folder: config, safetensors, tokenizer, preprocessing."""
import json
import os

import numpy as np
import torch

from model import DEVIATION, FEATURE_LAYER, Llava, MEAN
from scenes import IMAGE_SIZE
from tokenizer import BOS, EOS, Tokenizer, UNK

# As LLaVA-1.5's template: images first, then text, whatever the order in the message.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}"
    "{{ 'USER: ' }}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}"
    "{{ content['text'] + ' ' }}{% endfor %}"
    "{% elif message['role'] == 'assistant' %}"
    "{{ 'ASSISTANT:' }}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}"
    "{{ ' ' + content['text'] }}{% endfor %}"
    "{{ '</s>' }}"
    "{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


def write_json(folder, name, document):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, indent=2)
        file.write("\n")


def write_safetensors(path, tensors, **metadata):
    """An eight-byte length, a JSON header, the tensors' bytes: all float16, in the order of their names."""
    header, chunks, offset = {"__metadata__": {"format": "pt", **metadata}}, [], 0
    for name in sorted(tensors):
        data = tensors[name].detach().numpy().astype("<f2").tobytes()
        header[name] = {"dtype": "F16", "shape": list(tensors[name].shape), "data_offsets": [offset, offset + len(data)]}
        chunks.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        file.writelines(chunks)


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        kind = {"F16": "<f2", "F32": "<f4"}[entry["dtype"]]
        values = np.frombuffer(data[begin:end], kind).astype(np.float32).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values)
    return tensors


def write_folder(folder, model, tokenizer):
    os.makedirs(folder, exist_ok=True)
    write_safetensors(os.path.join(folder, "model.safetensors"), model.state_dict())
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    write_json(folder, "config.json", {
        "architectures": ["LlavaForConditionalGeneration"],
        "model_type": "llava",
        "torch_dtype": "float16",
        "image_token_index": tokenizer.image,
        "pad_token_id": tokenizer.pad,
        "projector_hidden_act": "gelu",
        "multimodal_projector_bias": True,
        "vision_feature_layer": FEATURE_LAYER,
        "vision_feature_select_strategy": "default",
        "image_seq_length": (model.vision_config["image_size"] // model.vision_config["patch_size"]) ** 2,
        "tie_word_embeddings": False,
        "text_config": {"architectures": ["LlamaForCausalLM"], **model.text_config, "torch_dtype": "float16",
                        "bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": tokenizer.pad},
        "vision_config": model.vision_config,
    })
    write_json(folder, "generation_config.json", {
        "bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": tokenizer.pad, "do_sample": False,
        "max_new_tokens": 8,
    })
    write_json(folder, "preprocessor_config.json", {
        "image_processor_type": "CLIPImageProcessor",
        "processor_class": "LlavaProcessor",
        "do_convert_rgb": True,
        "do_resize": True, "size": {"shortest_edge": IMAGE_SIZE}, "resample": 3,
        "do_center_crop": True, "crop_size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE},
        "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True,
        # float32 would print as 0.4814546704...: write the digits that CLIP is known by.
        "image_mean": [round(float(m), 8) for m in MEAN],
        "image_std": [round(float(d), 8) for d in DEVIATION],
    })
    write_json(folder, "processor_config.json", {
        "processor_class": "LlavaProcessor", "image_token": "<image>",
        "patch_size": model.vision_config["patch_size"], "num_additional_image_tokens": 1,
        "vision_feature_select_strategy": "default",
    })
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    write_json(folder, "special_tokens_map.json", names)
    write_json(folder, "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "processor_class": "LlavaProcessor", **names,
        "image_token": "<image>",
        "added_tokens_decoder": {
            str(i): {"content": piece, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False,
                     "special": True}
            for piece, i in sorted(tokenizer.added.items(), key=lambda item: item[1])
        },
        "clean_up_tokenization_spaces": False,
        "model_max_length": model.text_config["max_position_embeddings"],
        "padding_side": "left",
        "chat_template": CHAT_TEMPLATE,
    })


def read_folder(folder):
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    text = config["text_config"]
    model = Llava(text["vocab_size"], config["vision_config"], text)
    model.load_state_dict(read_safetensors(os.path.join(folder, "model.safetensors")))
    return model.eval(), Tokenizer.load(os.path.join(folder, "tokenizer.json"))
