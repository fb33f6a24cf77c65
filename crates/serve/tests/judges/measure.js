// How soon a browser shows what there is: ADDRESS. Prints a line for each time, and then each state of the UPS "rack" as it comes
// to the screen, until its input ends. JUDGES names the folder of node_modules.
"use strict";
const path = require("path");
const { chromium } = require(path.join(process.env.JUDGES, "node_modules", "playwright-core"));

const [address] = process.argv.slice(2);
const SLOWED = 4;
const LOADS = 5;

// When the page said that it is live, and when its plots were there, in milliseconds since it was asked for.
const WATCH = `
  new MutationObserver(() => {
    if (document.getElementById("live")?.textContent === "Live") window.live_at ??= performance.now();
    if (document.getElementById("plots")?.dataset.ready === "") window.plots_at ??= performance.now();
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });`;

const middle = (times) => {
  const sorted = times.toSorted((a, b) => a - b);
  return `${Math.round(sorted[Math.floor(sorted.length / 2)])} ms, at most ${Math.round(sorted.at(-1))} ms`;
};

const load = async (browser, view, rate) => {
  // nothing of it is known to the browser yet
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate });
  await page.addInitScript(WATCH);
  await page.goto(new URL(view, address).href);
  const wanted = view.includes("history") ? "window.plots_at" : "window.live_at";
  for (let step = 0; !(await page.evaluate(`${wanted} && performance.getEntriesByName("first-contentful-paint")[0]?.startTime`)); step += 1) {
    if (step > 12000) throw new Error(`${view} is never there`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const times = await page.evaluate(`[performance.getEntriesByName("first-contentful-paint")[0].startTime, window.live_at, window.plots_at ?? 0]`);
  await context.close();
  return times;
};

const loads = async (browser, view, rate) => {
  const all = [];
  for (let number = 0; number < LOADS; number += 1) all.push(await load(browser, view, rate));
  const [first, live, plots] = [0, 1, 2].map((column) => all.map((times) => times[column]));
  const drawn = view.includes("history") ? `; plots ${middle(plots)}` : "";
  console.log(`${view}, processor slowed ${rate} times: first view ${middle(first)}; live ${middle(live)}${drawn}`);
};

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  for (const rate of [1, SLOWED]) for (const view of ["./", "ups/rack", "ups/rack/history"]) await loads(browser, view, rate);
  const page = await browser.newPage();
  await page.exposeFunction("seen", (text, at) => console.log(`seen ${at} ${text}`));
  await page.goto(address);
  // what has changed is on the screen when the frame after it has been made
  await page.evaluate(`(() => {
    const badge = document.querySelector('tr[data-ups="rack"] .badge');
    let last = badge.textContent;
    new MutationObserver(() => {
      const text = badge.textContent;
      if (text === last) return;
      last = text;
      requestAnimationFrame(() => setTimeout(() => window.seen(text, Date.now()), 0));
    }).observe(badge, { childList: true, characterData: true, subtree: true });
  })()`);
  console.log("watching");
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.on("end", resolve));
  await browser.close();
  console.log("ok");
  process.exit(0);
})().catch((error) => {
  console.log(`failed: ${error.message}`);
  process.exit(1);
});
