// How a peer is commanded: a JSON object a line on standard input, an answer a line on standard output.
//   {"do": "prefill", "tokens": [...]}            all tokens from an empty cache, and the greedy next token
//   {"do": "decode", "tokens": [...], "steps": n} the same untimed, then n tokens one by one
// The answer: {"ms", "cpu", "token"}; milliseconds of wall and of process CPU time, for decode a step of them.
import { createInterface } from "node:readline";

export async function serve({ prefill, step }) {
  console.log(JSON.stringify({ ready: true }));
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    let start = clock();
    let token = await prefill(command.tokens);
    let answer = since(start, 1);
    if (command.do === "decode") {
      token = await step(token);
      start = clock();
      for (let i = 0; i < command.steps; i++) {
        token = await step(token);
      }
      answer = since(start, command.steps);
    }
    console.log(JSON.stringify({ ...answer, token }));
  }
}

function clock() {
  return { wall: performance.now(), cpu: process.cpuUsage() };
}

function since(start, runs) {
  const cpu = process.cpuUsage(start.cpu);
  return { ms: (performance.now() - start.wall) / runs, cpu: (cpu.user + cpu.system) / 1000 / runs };
}
