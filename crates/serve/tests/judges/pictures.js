// The pictures of docs/page.md: ADDRESS FOLDER. JUDGES names the folder of node_modules.
"use strict";
const path = require("path");
const { chromium } = require(path.join(process.env.JUDGES, "node_modules", "playwright-core"));

const [address, folder] = process.argv.slice(2);
const PICTURES = [
  ["page", "./", { width: 1000, height: 470 }, "light", "Live"],
  ["page-phone", "./", { width: 340, height: 600 }, "dark", "Live"],
  ["page-plots", "ups/rack/history", { width: 1280, height: 800 }, "light", "plots"],
  ["page-battery", "ups/rack/battery", { width: 1280, height: 800 }, "dark", "Live"],
];

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  for (const [name, view, viewport, colorScheme, wanted] of PICTURES) {
    const page = await browser.newPage({ viewport, colorScheme, reducedMotion: "reduce" });
    await page.goto(new URL(view, address).href);
    const is_there = wanted === "plots" ? "document.getElementById('plots')?.dataset.ready === ''" : "document.getElementById('live').textContent === 'Live'";
    while (!(await page.evaluate(is_there))) await new Promise((resolve) => setTimeout(resolve, 50));
    await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: view !== "./" });
    await page.close();
  }
  await browser.close();
  console.log("ok");
  process.exit(0);
})().catch((error) => {
  console.log(`failed: ${error.message}`);
  process.exit(1);
});
