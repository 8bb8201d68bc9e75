// ONNX Runtime as exported models are run from Node: one graph, optimised by the library, whose cache grows with each run.
//   node exported.mjs <model.onnx> <model folder> <threads>
import { openSync, readFileSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { serve } from "./protocol.mjs";

const require = createRequire(process.env.PEERS_FOLDER + "/");
const ort = require("onnxruntime-node");
const [file, folder, threads] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const config = JSON.parse(readFileSync(join(folder, "config.json"))).text_config;
const { hidden_size: hidden, num_hidden_layers: layers, num_key_value_heads: heads } = config;
const headDim = hidden / config.num_attention_heads;
const session = await ort.InferenceSession.create(file, { intraOpNumThreads: threads, interOpNumThreads: 1, graphOptimizationLevel: "all", logSeverityLevel: 3 });
const embeddings = readEmbeddings();
let caches;
let length;

await serve({
  async prefill(tokens) {
    length = 0;
    caches = {};
    for (let i = 0; i < layers; i++) {
      for (const name of ["key", "value"]) {
        caches[`past_${name}.${i}`] = new ort.Tensor("float32", new Float32Array(0), [1, heads, 0, headDim]);
      }
    }
    return run(tokens);
  },
  step: (token) => run([token]),
});

async function run(tokens) {
  const rows = new Float32Array(tokens.length * hidden);
  tokens.forEach((token, i) => rows.set(embeddings.subarray(token * hidden, (token + 1) * hidden), i * hidden));
  const positions = BigInt64Array.from(tokens, (_, i) => BigInt(length + i));
  length += tokens.length;
  const outputs = await session.run({
    ...caches,
    x: new ort.Tensor("float32", rows, [1, tokens.length, hidden]),
    positions: new ort.Tensor("int64", positions, [1, tokens.length]),
    seqlens_k: new ort.Tensor("int32", [length - 1], [1]),
    total: new ort.Tensor("int32", [length], [1]),
    row: new ort.Tensor("int64", [BigInt(tokens.length - 1)], [1]),
  });
  for (const name in caches) {
    caches[name] = outputs[name.replace("past", "present")];
  }
  return outputs.logits.data.reduce((best, logit, i, all) => (logit > all[best] ? i : best), 0);
}

function readEmbeddings() {
  const descriptor = openSync(join(folder, "model.safetensors"));
  const size = Buffer.alloc(8);
  readSync(descriptor, size, 0, 8, 0);
  const headerLength = Number(size.readBigUInt64LE());
  const header = Buffer.alloc(headerLength);
  readSync(descriptor, header, 0, headerLength, 8);
  const [, about] = Object.entries(JSON.parse(header)).find(([name]) => name.endsWith("embed_tokens.weight"));
  const bytes = new Uint8Array(about.data_offsets[1] - about.data_offsets[0]);
  readSync(descriptor, bytes, 0, bytes.length, 8 + headerLength + about.data_offsets[0]);
  return new Float32Array(bytes.buffer);
}
