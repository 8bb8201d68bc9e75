// One picture and one question, to two variants at once. Nothing is loaded from elsewhere.
const byId = id => document.getElementById(id);
const form = byId("ask"), file = byId("file"), drop = byId("drop"), preview = byId("preview");
const status = byId("status"), send = byId("send"), stop = byId("stop");

/** The two sides: the variant's select and where its answer goes. */
const sides = ["a", "b"].map(side => {
  const select = byId(`variant-${side}`);
  const section = select.closest("section");
  section.append(byId("result").content.cloneNode(true));
  const part = name => section.querySelector(`.${name}`);
  return { select, plan: part("plan"), answer: part("answer"), text: part("text"), numbers: part("numbers"), segments: part("segments") };
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
    side.select.addEventListener("change", () => describe(side));
    describe(side);
  });
  say("");
  document.body.dataset.ready = "true";
}

function describe(side) {
  const model = models.get(side.select.value);
  const lines = [`${model.visual_tokens} visual tokens`, `${Math.round(model.flops_of_dense * 100)} % of the operations of the dense prefill`];
  side.plan.replaceChildren(...lines.map(line => Object.assign(document.createElement("span"), { textContent: line })));
  clear(side);
}

function clear(side) {
  side.text.textContent = "";
  side.answer.classList.remove("bad", "busy");
  side.numbers.replaceChildren();
  side.segments.replaceChildren();
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
  preview.src = url;
  preview.alt = `The picture to ask about: ${blob.name || "pasted"}`;
  preview.hidden = false;
  byId("drop-text").hidden = true;
  drop.classList.add("filled");
  sides.forEach(clear);
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

async function ask(side, question, signal) {
  clear(side);
  side.answer.classList.add("busy");
  const start = performance.now();
  let first = 0;
  try {
    const response = await fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      signal,
      body: JSON.stringify({
        model: side.select.value,
        stream: true,
        stream_options: { include_usage: true },
        visual_tokens: true,
        messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: picture.url } }, { type: "text", text: question }] }],
      }),
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
  } catch (problem) {
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
    ["prefill", report.continued ? "reused" : `${report.prefill_ms.toFixed(1)} ms`],
    ["tokens", `${usage.prompt_tokens} + ${usage.completion_tokens}`],
  ];
  side.numbers.replaceChildren(...numbers.map(([name, value]) => {
    const pair = document.createElement("div"), term = document.createElement("dt"), detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = value;
    pair.append(term, detail);
    return pair;
  }));
  side.segments.replaceChildren(...report.segments.map(segment => tile(segment, report.grid)));
}

/** One segment: the picture as the model sees it, with the tokens that have left covered. */
function tile(segment, grid) {
  const item = document.createElement("li"), canvas = document.createElement("canvas");
  const layers = segment.first_layer === segment.last_layer ? `layer ${segment.first_layer}` : `layers ${segment.first_layer}–${segment.last_layer}`;
  const count = segment.tokens.filter(token => token >= 0).length;
  const words = count === 0 ? "text only" : `${segment.tokens.length} tokens${segment.mode === "frozen" ? ", frozen" : ""}`;
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
  running = new AbortController();
  send.disabled = true;
  stop.hidden = false;
  say("");
  await Promise.all(sides.map(side => ask(side, byId("question").value, running.signal)));
  send.disabled = false;
  stop.hidden = true;
});

stop.addEventListener("click", () => running?.abort());
file.addEventListener("change", () => take(file.files[0]));
document.querySelectorAll(".example").forEach(button => button.addEventListener("click", () => { byId("question").value = button.textContent; }));
addEventListener("paste", event => take([...event.clipboardData.files][0]));
addEventListener("dragover", event => { event.preventDefault(); drop.classList.add("over"); });
addEventListener("dragleave", () => drop.classList.remove("over"));
addEventListener("drop", event => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files[0]);
});

loadModels();
