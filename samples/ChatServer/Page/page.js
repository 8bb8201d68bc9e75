// One picture and a conversation about it, with two variants at once. Nothing is loaded from elsewhere.
const byId = id => document.getElementById(id);
const form = byId("ask"), file = byId("file"), drop = byId("drop"), preview = byId("preview");
const question = byId("question"), status = byId("status"), send = byId("send"), stop = byId("stop"), anew = byId("anew");

/** The two sides: the variant's select, where its answers go, and its conversation: answers differ, so each side has its own. */
const sides = ["a", "b"].map(side => {
  const select = byId(`variant-${side}`);
  const section = select.closest("section");
  section.append(byId("result").content.cloneNode(true));
  const part = name => section.querySelector(`.${name}`);
  return { select, plan: part("plan"), answer: part("answer"), text: part("text"), asked: part("question"), thread: part("thread"), numbers: part("numbers"), reused: part("reused"), segments: part("segments"), messages: [], firstPrefill: 0 };
});

let picture = null;
let models = new Map();
let running = null;

function say(text, isBad = false) {
  status.textContent = text;
  status.classList.toggle("bad", isBad);
}

async function loadModels() {
  for (;;) {
    try {
      const ready = await fetch("/health/ready");
      if (ready.ok) {
        break;
      }
      say("The models are being loaded.");
    } catch {
      say("The server does not answer.", true);
    }
    await new Promise(resolve => setTimeout(resolve, 500));
  }
  const list = await (await fetch("/v1/models")).json();
  models = new Map(list.data.map(model => [model.id, model]));
  sides.forEach((side, i) => {
    side.select.replaceChildren(...list.data.map(model => new Option(model.id, model.id)));
    const wanted = i === 0 ? "dense" : "quick";
    side.select.value = models.has(wanted) ? wanted : list.data[Math.min(i, list.data.length - 1)].id;
    side.select.addEventListener("change", () => {
      describe(side);
      restart();
    });
    describe(side);
  });
  say("");
  document.body.dataset.ready = "true";
}

function describe(side) {
  const model = models.get(side.select.value);
  const bound = model.visual_tokens.includes("≤") ? "at most " : "";
  const lines = [`${model.visual_tokens} visual tokens`, `${bound}${Math.round(model.flops_of_dense * 100)} % of the operations of the dense prefill`];
  side.plan.replaceChildren(...lines.map(line => Object.assign(document.createElement("span"), { textContent: line })));
}

/** Forgets the conversations of both sides: another picture, another variant, or a wish. */
function restart() {
  running?.abort();
  for (const side of sides) {
    side.messages = [];
    side.thread.replaceChildren();
    clear(side);
  }
  anew.hidden = true;
}

function clear(side) {
  side.text.textContent = side.asked.textContent = "";
  side.answer.classList.remove("bad", "busy");
  clearNumbers(side);
}

function clearNumbers(side) {
  side.numbers.replaceChildren();
  side.reused.hidden = true;
  side.segments.replaceChildren();
}

/** Moves the last question and its answer to the earlier ones. */
function shelve(side) {
  if (!side.asked.textContent) {
    return;
  }
  const turn = document.createElement("li"), asked = document.createElement("span"), answered = document.createElement("div");
  asked.textContent = side.asked.textContent;
  answered.textContent = side.text.textContent;
  answered.classList.toggle("bad", side.answer.classList.contains("bad"));
  turn.append(asked, answered);
  side.thread.append(turn);
}

async function take(blob) {
  if (!blob) {
    return;
  }
  if (!blob.type.startsWith("image/")) {
    say("That is no picture.", true);
    return;
  }
  const url = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
  const shown = new Image();
  shown.src = url;
  await shown.decode().catch(() => { });
  picture = { url, shown };
  // What the browser cannot draw, a TIFF for example, the server may still read.
  const isDrawn = shown.naturalWidth > 0;
  if (isDrawn) {
    preview.src = url;
  } else {
    preview.removeAttribute("src");
  }
  preview.alt = `The picture to ask about: ${blob.name || "pasted"}`;
  preview.hidden = !isDrawn;
  byId("drop-text").hidden = isDrawn;
  if (!isDrawn) {
    byId("drop-text").textContent = `${blob.name || "What was pasted"}: this browser cannot show it`;
  }
  drop.classList.add("filled");
  restart();
  say("");
}

/** Server-sent events of one answer. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    buffer += value;
    for (let end; (end = buffer.indexOf("\n\n")) >= 0; buffer = buffer.slice(end + 2)) {
      const data = buffer.slice(0, end).replace(/^data: /, "");
      if (data !== "[DONE]") {
        yield JSON.parse(data);
      }
    }
  }
}

async function ask(side, words, signal) {
  shelve(side);
  side.asked.textContent = words;
  side.text.textContent = "";
  side.answer.classList.remove("bad");
  side.answer.classList.add("busy");
  const start = performance.now();
  let first = 0;

  // The whole conversation goes along each time; the server finds what it still holds of it.
  const isFirst = side.messages.length === 0;
  const user = { role: "user", content: isFirst ? [{ type: "image_url", image_url: { url: picture.url } }, { type: "text", text: words }] : words };
  const messages = [...side.messages, user];
  try {
    const response = await fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      signal,
      body: JSON.stringify({ model: side.select.value, stream: true, stream_options: { include_usage: true }, visual_tokens: true, messages }),
    });
    if (!response.ok) {
      throw new Error((await response.json()).error.message);
    }
    let report = null;
    for await (const event of events(response)) {
      if (event.error) {
        throw new Error(event.error.message);
      }
      first ||= performance.now() - start;
      side.text.textContent += event.choices[0]?.delta.content ?? "";
      report ??= event.visual_tokens;
      if (event.usage) {
        show(side, event.usage, report, first);
      }
    }
    if (!signal.aborted) {
      side.messages = [...messages, { role: "assistant", content: side.text.textContent }];
      if (isFirst) {
        side.firstPrefill = report.continued ? 0 : report.prefill_ms;
      }
    }
  } catch (problem) {
    if (signal.aborted && !side.asked.textContent) {
      return;
    }
    clearNumbers(side);
    side.answer.classList.add("bad");
    side.text.textContent = problem.name === "AbortError" ? "stopped" : problem.message;
  } finally {
    side.answer.classList.remove("busy");
  }
}

function show(side, usage, report, first) {
  const details = usage.prompt_tokens_details;
  const numbers = [
    ["visual tokens", `${details.visual_tokens_seen} → ${details.visual_tokens_kept}`],
    ["first token", `${first.toFixed(0)} ms`],
    ["prefill", `${report.prefill_ms.toFixed(1)} ms`],
    ["tokens", `${usage.prompt_tokens} + ${usage.completion_tokens}`],
  ];
  side.numbers.replaceChildren(...numbers.map(([name, value]) => {
    const pair = document.createElement("div"), term = document.createElement("dt"), detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = value;
    pair.append(term, detail);
    return pair;
  }));
  side.reused.hidden = !report.continued;
  side.reused.textContent = `The image was not run again: ${details.cached_tokens} of ${usage.prompt_tokens} positions were still in the KV cache.`
    + (side.firstPrefill ? ` The first prefill took ${side.firstPrefill.toFixed(1)} ms.` : "");
  side.segments.replaceChildren(...report.segments.map(segment => tile(segment, report.grid)));
}

/** One segment: the picture as the model sees it, with the tokens that have left covered. */
function tile(segment, grid) {
  const item = document.createElement("li"), canvas = document.createElement("canvas");
  const layers = segment.first_layer === segment.last_layer ? `layer ${segment.first_layer}` : `layers ${segment.first_layer}–${segment.last_layer}`;
  const count = segment.tokens.filter(token => token >= 0).length;
  const words = count === 0 ? "text only" : `${segment.tokens.length} tokens${segment.mode === "frozen" ? ", frozen" : segment.mode === "partial" ? ", in part" : ""}`;
  const size = grid * 20;
  canvas.width = canvas.height = size;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${layers}: ${count} of ${grid * grid} tiles of the picture are left`);
  canvas.dataset.tokens = segment.tokens.length;
  const ink = canvas.getContext("2d");
  draw(ink, size);
  const kept = new Set(segment.tokens);
  ink.fillStyle = ink.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--gone");
  for (let token = 0; token < grid * grid; token++) {
    const x = token % grid * 20, y = Math.floor(token / grid) * 20;
    if (!kept.has(token)) {
      ink.globalAlpha = 0.88;
      ink.fillRect(x, y, 20, 20);
    }
    ink.globalAlpha = 1;
    ink.strokeRect(x, y, 20, 20);
    if (kept.has(token) && segment.mode === "frozen") {
      stripe(ink, x, y);
    }
  }
  const name = document.createElement("strong"), what = document.createElement("span");
  name.textContent = layers;
  what.textContent = words;
  item.append(canvas, name, what);
  return item;
}

// The shorter side fills the square and the longer one is cut in the middle, as the model's preprocessing does.
function draw(ink, size) {
  const { shown } = picture;
  if (!shown.naturalWidth) {
    return;
  }
  const side = Math.min(shown.naturalWidth, shown.naturalHeight);
  ink.imageSmoothingQuality = "high";
  ink.drawImage(shown, (shown.naturalWidth - side) / 2, (shown.naturalHeight - side) / 2, side, side, 0, 0, size, size);
}

function stripe(ink, x, y) {
  // White over black: seen on every picture.
  for (const [color, width] of [["rgb(0 0 0 / 0.55)", 4], ["rgb(255 255 255 / 0.9)", 1.5]]) {
    ink.save();
    ink.strokeStyle = color;
    ink.lineWidth = width;
    ink.beginPath();
    ink.moveTo(x + 5, y + 15);
    ink.lineTo(x + 15, y + 5);
    ink.stroke();
    ink.restore();
  }
}

form.addEventListener("submit", async event => {
  event.preventDefault();
  if (!picture) {
    say("Choose a picture first.", true);
    file.focus();
    return;
  }
  const words = question.value;
  const own = running = new AbortController();
  send.disabled = true;
  stop.hidden = false;
  say("");
  await Promise.all(sides.map(side => ask(side, words, own.signal)));
  send.disabled = false;
  stop.hidden = true;
  anew.hidden = !sides.some(side => side.asked.textContent);

  // The next question is typed over this one.
  question.select();
});

stop.addEventListener("click", () => running?.abort());
anew.addEventListener("click", () => {
  restart();
  question.focus();
});
file.addEventListener("change", () => take(file.files[0]));
document.querySelectorAll(".example").forEach(button => button.addEventListener("click", () => { question.value = button.textContent; }));
addEventListener("paste", event => take([...event.clipboardData.files][0]));
addEventListener("dragover", event => { event.preventDefault(); drop.classList.add("over"); });
addEventListener("dragleave", () => drop.classList.remove("over"));
addEventListener("drop", event => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files[0]);
});

loadModels();
