// The page in Chromium: node page.mjs <address> <folder of images> <chromium> [folder for screenshots]
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [address, images, executablePath, screenshots] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const problems = [];

async function open(options) {
  const page = await browser.newPage({ viewport: { width: 1180, height: 900 }, ...options });
  page.on("console", message => problems.push(`console: ${message.text()}`));
  page.on("pageerror", error => problems.push(`error: ${error.message}`));
  page.on("request", request => {
    if (new URL(request.url()).origin !== new URL(address).origin && !request.url().startsWith("data:") && !request.url().startsWith("blob:")) {
      problems.push(`request to ${request.url()}`);
    }
  });
  await page.goto(address);
  await page.waitForSelector("body[data-ready]");
  return page;
}

const answered = page => page.waitForFunction(() => !document.querySelector("#send").disabled && [...document.querySelectorAll(".answer .text")].every(text => text.textContent));
const answers = page => page.locator(".answer .text").allTextContents();
const tokens = (page, side) => page.locator(`section:has(#variant-${side}) canvas`).evaluateAll(tiles => tiles.map(tile => Number(tile.dataset.tokens)));
const shoot = async (page, name) => screenshots && await page.screenshot({ path: join(screenshots, name), fullPage: true });

try {
  // Two variants beside each other.
  const page = await open({ colorScheme: "light" });
  assert.deepEqual(await page.locator("select").evaluateAll(all => all.map(select => select.value)), ["dense", "quick"]);
  await page.click("#send");
  assert.equal(await page.textContent("#status"), "Choose a picture first.");
  await page.setInputFiles("#file", join(images, "pair.png"));
  await page.fill("#question", "where is the yellow square ?");
  await page.keyboard.press("Enter");
  await answered(page);
  assert.deepEqual(await answers(page), ["bottom right", "bottom right"]);
  assert.deepEqual(await tokens(page, "a"), [144]);
  assert.deepEqual(await tokens(page, "b"), [144, 72, 72, 72, 0]);
  await shoot(page, "light.png");

  // Asked on: the whole conversation goes along, the image is not run again, and the tokens are still those of the first question.
  const conversation = page.waitForRequest(request => request.method() === "POST" && JSON.parse(request.postData()).model === "quick");
  await page.fill("#question", "what shape is blue ?");
  await page.keyboard.press("Enter");
  const { messages } = JSON.parse((await conversation).postData());
  assert.deepEqual(messages.map(message => message.role), ["user", "assistant", "user"]);
  assert.deepEqual(messages.slice(1).map(message => message.content), ["bottom right", "what shape is blue ?"]);
  await answered(page);
  for (const side of ["a", "b"]) {
    const card = page.locator(`section:has(#variant-${side})`);
    assert.deepEqual(await card.locator(".thread li > *").allTextContents(), ["where is the yellow square ?", "bottom right"]);
    assert.equal(await card.locator(".question").textContent(), "what shape is blue ?");
    const [, cached, all] = (await card.locator(".reused").textContent()).match(/^The image was not run again: (\d+) of (\d+) positions/).map(Number);
    assert.ok(cached > 150 && cached < all, `${cached} of ${all} were reused`);
  }
  assert.deepEqual(await tokens(page, "b"), [144, 72, 72, 72, 0]);
  await shoot(page, "conversation.png");

  // A new one forgets all of it, and the first question has its first answer again.
  await page.click("#anew");
  assert.equal(await page.locator("canvas, .thread li").count(), 0);
  assert.equal(await page.isVisible("#anew"), false);
  await page.fill("#question", "where is the yellow square ?");
  await page.keyboard.press("Enter");
  await answered(page);
  assert.deepEqual(await answers(page), ["bottom right", "bottom right"]);
  assert.equal(await page.locator(".thread li").count(), 0);

  // Tiles of tokens that have left are covered, those that stay are the picture.
  const covered = await page.locator("section:has(#variant-b) canvas").evaluateAll(tiles => tiles.map(tile => {
    const pixels = tile.getContext("2d").getImageData(0, 0, tile.width, tile.height).data;
    const side = tile.width / 12;
    let count = 0;
    for (let token = 0; token < 144; token++) {
      const at = 4 * ((Math.floor(token / 12) * side + 4) * tile.width + token % 12 * side + 4);
      count += [196, 216, 198].every((part, i) => Math.abs(pixels[at + i] - part) < 32) ? 1 : 0;
    }
    return count;
  }));
  assert.deepEqual(covered, [0, 72, 72, 72, 144]);

  // Another variant, and an example question.
  await page.selectOption("#variant-b", "visionzip");
  assert.deepEqual(await answers(page), ["", ""]);
  assert.match(await page.textContent("section:has(#variant-b) .plan"), /^72 visual tokens/);
  await page.click(".example >> nth=0");
  assert.equal(await page.inputValue("#question"), "what shape is blue ?");
  await page.click("#send");
  await answered(page);
  assert.deepEqual(await tokens(page, "b"), [72]);

  // What only the image says is a bound before it is asked.
  await page.selectOption("#variant-b", "similarity");
  assert.match(await page.textContent("section:has(#variant-b) .plan"), /^≤ 144 .* visual tokensat most 100 %/);
  await page.selectOption("#variant-b", "visionzip");

  // Dropped instead of chosen.
  const dropped = await page.evaluateHandle(bytes => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], "circle.png", { type: "image/png" }));
    return data;
  }, [...readFileSync(join(images, "circle.png"))]);
  await page.dispatchEvent("#drop", "drop", { dataTransfer: dropped });
  await page.waitForFunction(() => document.querySelector("#preview").alt.endsWith("circle.png") && !document.querySelector("canvas"));
  await page.fill("#question", "what color is the circle ?");
  await page.click("#send");
  await answered(page);
  assert.deepEqual(await answers(page), ["red", "red"]);

  // A file that is no picture is an answer in words, not silence.
  await page.setInputFiles("#file", { name: "broken.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
  await page.waitForFunction(() => document.querySelector("#preview").alt.endsWith("broken.png"));
  assert.equal(await page.isVisible("#preview"), false);
  assert.equal(await page.textContent("#drop-text"), "broken.png: this browser cannot show it");
  problems.length = 0;
  await page.click("#send");
  await page.waitForSelector(".answer.bad");
  problems.splice(0, problems.length, ...problems.filter(problem => !problem.includes("400 (Bad Request)")));

  // Everything has a name, by keyboard and in the dark.
  const dark = await open({ colorScheme: "dark", viewport: { width: 420, height: 900 } });
  const unnamed = await dark.evaluate(() => [...document.querySelectorAll("input, select, button")].filter(control => !(control.labels?.length || control.textContent.trim())).map(control => control.id));
  assert.deepEqual(unnamed, []);
  assert.equal(await dark.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
  const [ink, paper] = await dark.evaluate(() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor].map(color => color.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)));
  assert.ok(ink > 600 && paper < 150, "light words on a dark page");
  await dark.focus("#file");
  await dark.setInputFiles("#file", join(images, "circle.png"));
  for (let i = 0; i < 8 && await dark.evaluate(() => document.activeElement.id) !== "send"; i++) {
    await dark.keyboard.press("Tab");
  }
  await dark.keyboard.press("Enter");
  await answered(dark);
  assert.deepEqual(await answers(dark), ["red", "red"]);
  await dark.fill("#question", "is there a red circle ?");
  await dark.keyboard.press("Enter");
  await answered(dark);
  assert.equal(await dark.locator(".thread li").count(), 2);
  assert.equal(await dark.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
  assert.match(await dark.locator("canvas").last().getAttribute("aria-label"), /^layer 9: 0 of 144 tiles/);
  await shoot(dark, "dark.png");

  assert.deepEqual(problems, []);
  console.log("all is as it should be");
} finally {
  await browser.close();
}
