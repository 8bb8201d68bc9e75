// OpenAI's client for Node against the server: node openai-client.mjs <address> <folder of images>
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import OpenAI from "openai";

const [address, images] = process.argv.slice(2);
const client = new OpenAI({ baseURL: new URL("/v1", address).href, apiKey: "none", maxRetries: 0 });

const ask = (image, text) => ({
  role: "user",
  content: [
    { type: "image_url", image_url: { url: "data:image/png;base64," + readFileSync(join(images, image)).toString("base64") } },
    { type: "text", text },
  ],
});

// The models.
const models = [];
for await (const model of client.models.list()) {
  models.push(model.id);
}
assert.deepEqual(models, ["dense", "pyramiddrop", "visionzip", "similarity", "quick"]);
assert.equal((await client.models.retrieve("quick")).id, "quick");

// A whole answer.
const whole = await client.chat.completions.create({ model: "quick", messages: [ask("circle.png", "what color is the circle ?")] });
assert.equal(whole.choices[0].message.content, "red");
assert.equal(whole.choices[0].finish_reason, "stop");
assert.equal(whole.usage.prompt_tokens_details.visual_tokens_seen, 144);

// A conversation.
const talk = await client.chat.completions.create({
  model: "dense",
  messages: [ask("circle.png", "what color is the circle ?"), { role: "assistant", content: "red" }, { role: "user", content: "what shape is red ?" }],
  max_completion_tokens: 8,
});
assert.equal(talk.choices[0].message.role, "assistant");

// A stream, by hand and by the client's own accumulator.
const stream = await client.chat.completions.create({
  model: "dense",
  messages: [ask("pair.png", "where is the yellow square ?")],
  stream: true,
  stream_options: { include_usage: true },
});
let text = "", usage = null;
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta.content ?? "";
  usage ??= chunk.usage;
}
assert.equal(text, "bottom right");
assert.equal(usage.completion_tokens, 3);
const runner = client.chat.completions.stream({ model: "dense", messages: [ask("pair.png", "where is the yellow square ?")] });
assert.equal(await runner.finalContent(), "bottom right");

// Errors are the client's own types.
await assert.rejects(client.chat.completions.create({ model: "gpt", messages: [] }), problem => problem instanceof OpenAI.NotFoundError && problem.code === "model_not_found");
await assert.rejects(
  client.chat.completions.create({ model: "quick", messages: [{ role: "user", content: "no image" }] }),
  problem => problem instanceof OpenAI.BadRequestError && problem.code === "no_image" && problem.param === "messages");

// A client that leaves.
const left = await client.chat.completions.create({ model: "dense", messages: [ask("pair.png", "where is the yellow square ?")], stream: true, temperature: 40, max_tokens: 250 });
for await (const _ of left) {
  left.controller.abort();
}
console.log("all is as it should be");
