// llama.cpp, as its Node package ships it: node llama.mjs <file.gguf> <threads>
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { serve } from "./protocol.mjs";

const require = createRequire(process.env.PEERS_FOLDER + "/");
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(require.resolve("node-llama-cpp")).href);
const [file, threads] = [process.argv[2], Number(process.argv[3])];
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error, progressLogs: false, maxThreads: threads });
const model = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
const context = await model.createContext({ contextSize: 1024, batchSize: 1024, threads: { ideal: threads, min: threads }, flashAttention: true });
const sequence = context.getSequence();
let generator;

await serve({
  async prefill(tokens) {
    await generator?.return();
    await sequence.clearHistory();
    generator = sequence.evaluate(tokens, { temperature: 0, yieldEogToken: true });
    return (await generator.next()).value;
  },
  async step() {
    return (await generator.next()).value;
  },
});
