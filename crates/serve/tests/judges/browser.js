// What a browser makes of the pages: ADDRESS FOLDER. Prints a line for each view, and "ok" at the end; what is wrong ends it.
// JUDGES names the folder of node_modules; screenshots go to FOLDER.
"use strict";
const path = require("path");
const fs = require("fs");
const modules = path.join(process.env.JUDGES, "node_modules");
const { chromium } = require(path.join(modules, "playwright-core"));
const axe = fs.readFileSync(path.join(modules, "axe-core", "axe.min.js"), "utf8");

const [address, folder] = process.argv.slice(2);
const origin = new URL(address).origin;
const wrong = (text) => {
  throw new Error(text);
};

// Waits until something is so. (What playwright has for that evaluates in the page, which the policy forbids.)
const until = async (page, is_so) => {
  const began = Date.now();
  while (!(await page.evaluate(is_so))) {
    if (Date.now() - began > 30000) wrong(`${page.url()} never: ${is_so}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

// A page whose every request, message and error is looked at.
const watched = async (browser, options) => {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  const faults = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => faults.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`)) faults.push(`request to ${request.url()}`);
  });
  return { page, context, faults };
};

const fits = async (page) => {
  const [wide, room] = await page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]");
  if (wide > room) wrong(`${page.url()} is ${wide} wide in ${room}`);
};

const accessible = async (page, what) => {
  await page.evaluate(axe);
  const { violations } = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  for (const { id, nodes } of violations) {
    wrong(`${what}: axe says ${id} of ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join("\n")}`);
  }
};

// Every plot is drawn by the script, and says what it shows.
const drawn = async (page, view, what) => {
  if (view !== "ups/rack" && !view.includes("/history")) return;
  // on a phone the first page of a UPS has a link to them
  if (view === "ups/rack" && page.viewportSize().width < 700) return;
  await until(page, "document.querySelector('#plots')?.dataset.ready === ''");
  const [plots, canvases, failed, old] = await page.evaluate(`[".plot", ".plot canvas", "[data-failed]", ".plot svg"].map((what) => document.querySelectorAll(what).length)`);
  if (plots < 6 || canvases !== plots || failed > 0 || old > 0) wrong(`${what}: ${plots} plots, ${canvases} drawn, ${failed} failed, ${old} of the server`);
  // something is on each: not all of it has one colour
  const blank = await page.evaluate(`[...document.querySelectorAll(".plot canvas")].filter((canvas) => new Set(new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size < 4).length`);
  if (blank > 0) wrong(`${what}: ${blank} plots are blank`);
};

// Without a script there are drawings, their figures, and links to other ranges.
const drawn_by_the_server = async (page, what) => {
  const plots = page.locator(".plot");
  if ((await plots.count()) < 6) wrong(`${what}: ${await plots.count()} plots`);
  for (const plot of await plots.all()) {
    const box = await plot.locator("svg").boundingBox();
    if (!box || box.width < 200 || box.height < 100) wrong(`${what}: no drawing`);
    await plot.locator("summary").click();
    if (!(await plot.locator("tbody tr").first().isVisible())) wrong(`${what}: no table`);
  }
  await fits(page);
  for (const plot of await plots.all()) await plot.locator("summary").click();
  const links = await page.locator(".spans a").evaluateAll((all) => all.map((link) => link.href));
  if (links.length !== 6) wrong(`${what}: ${links}`);
};

// Pages that say that there is nothing, and what to do: as any other.
const MISSING = ["ups/nothing", "ups/nothing/history"];

const look = async (browser, view, options) => {
  const { page, context, faults } = await watched(browser, options);
  const what = `${view} ${options.viewport.width} ${options.colorScheme}${options.javaScriptEnabled ? "" : " without script"}`;
  const answer = await page.goto(new URL(view, address).href, { waitUntil: "load" });
  const is_missing = MISSING.includes(view);
  if (answer.status() !== (is_missing ? 404 : 200)) wrong(`${what}: ${answer.status()}`);
  await fits(page);
  if (is_missing) {
    if (!(await page.getByRole("link", { name: "All UPSes" }).isVisible())) wrong(`${what}: no way on`);
    if (options.javaScriptEnabled) await accessible(page, what);
    // the browser itself complains of the status
    faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes("status of 404")));
  } else if (options.javaScriptEnabled) {
    await until(page, "document.getElementById('live').textContent === 'Live'");
    if (view.startsWith("ups/rack")) await drawn(page, view, what);
    await accessible(page, what);
  } else {
    // what counts is there, and a way to newer values
    const text = await page.locator("main").innerText();
    if (!text.includes("On mains") || !/\d+ s ago/.test(text)) wrong(`${what}: ${text}`);
    if (!(await page.locator("#live a").isVisible())) wrong(`${what}: no link to reload`);
    if (view.includes("/history")) await drawn_by_the_server(page, what);
  }
  if (options.viewport.width === 320) {
    // nothing is cut off at its right
    const cut = await page.evaluate(`[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > 320.5 && !e.closest(".unseen, caption, thead")).length`);
    if (cut > 0) wrong(`${what}: ${cut} elements are cut off`);
  }
  const name = what.replace(/[^a-z0-9]+/gi, "-");
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
  await context.close();
  if (faults.length > 0) wrong(`${what}: ${faults.join("; ")}`);
  console.log(what);
};

// From the address bar to a UPS and back by keyboard alone.
const by_keyboard = async (browser) => {
  const { page, context, faults } = await watched(browser, { viewport: { width: 1024, height: 768 } });
  await page.goto(address);
  const focused = () => page.evaluate("document.activeElement.className + '|' + document.activeElement.textContent");
  await page.keyboard.press("Tab");
  if (!(await focused()).startsWith("skip|")) wrong(`first comes ${await focused()}`);
  const shown = await page.evaluate("document.activeElement.getBoundingClientRect().left >= 0");
  if (!shown) wrong("the skip link is not seen when it has the focus");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  // the way to a login, where there is one
  if ((await focused()).endsWith("|Log in")) await page.keyboard.press("Tab");
  if (!(await focused()).endsWith("|rack")) wrong(`behind the skip link comes ${await focused()}`);
  const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
  if (outline === "none") wrong("the focus is not seen");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/ups/rack");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  if (!(await focused()).startsWith("home|")) wrong(`the way back is not second, but ${await focused()}`);
  await page.keyboard.press("Enter");
  await page.waitForURL(address);
  await context.close();
  if (faults.length > 0) wrong(faults.join("; "));
  console.log("by keyboard");
};

// What changes is shown by a colour that fades; for who wants no motion nothing moves.
const moves = async (browser) => {
  for (const [reducedMotion, expected] of [["no-preference", "changed"], ["reduce", "none"]]) {
    const { page, context, faults } = await watched(browser, { viewport: { width: 1024, height: 768 }, reducedMotion });
    await page.goto(address);
    const name = await page.evaluate(`(() => {
      const badge = document.querySelector(".badge");
      badge.classList.add("changed");
      return getComputedStyle(badge).animationName;
    })()`);
    if (name !== expected) wrong(`${reducedMotion}: ${name}`);
    await context.close();
    if (faults.length > 0) wrong(faults.join("; "));
  }
  console.log("moves");
};

// The cursor of a plot is moved by keys, and what it stands on is said.
const by_cursor = async (browser) => {
  const { page, context, faults } = await watched(browser, { viewport: { width: 1024, height: 768 }, colorScheme: "light" });
  await page.goto(new URL("ups/rack/history", address).href);
  await until(page, "document.querySelector('#plots').dataset.ready === ''");
  const at = () => page.evaluate("document.activeElement.getAttribute('aria-valuetext')");
  for (let tab = 0; tab < 40 && !(await at()); tab += 1) await page.keyboard.press("Tab");
  const last = await at();
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d: Input [0-9.]+ V/.test(last)) wrong(`the cursor says ${last}`);
  await page.keyboard.press("ArrowLeft");
  const before = await at();
  if (before === last || before > last) wrong(`to the left of ${last} is ${before}`);
  await page.keyboard.press("ArrowRight");
  if ((await at()) !== last) wrong(`back at ${await at()}, not ${last}`);
  await page.keyboard.press("Home");
  const first = await at();
  if (first >= before) wrong(`the first is ${first}`);
  // where nothing was read it says so
  let gap = false;
  for (let step = 0; step < 600 && !gap; step += 1) {
    await page.keyboard.press("ArrowRight");
    gap = (await at()).includes("no data");
  }
  if (!gap) wrong("the gap is not said");
  const shown = await page.locator(".readout").first().textContent();
  if (shown !== (await at())) wrong(`shown is ${shown}`);
  const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
  if (outline === "none") wrong("the focus of a plot is not seen");
  await accessible(page, "with a cursor");
  // in another scheme it is drawn anew
  await page.emulateMedia({ colorScheme: "dark" });
  await page.keyboard.press("End");
  if ((await at()) < before) wrong(`in the dark ${await at()}`);
  await context.close();
  if (faults.length > 0) wrong(faults.join("; "));
  console.log("by cursor");
};

// What happens is seen without a reload; the test says when it has happened.
const live = async (browser) => {
  const { page, context, faults } = await watched(browser, { viewport: { width: 1024, height: 768 } });
  await page.goto(address);
  await until(page, "document.getElementById('live').textContent === 'Live'");
  const ups = await context.newPage();
  await ups.goto(new URL("ups/odd", address).href);
  await until(ups, "document.getElementById('live').textContent === 'Live'");
  // the charge of the rack is estimated from its volts: live as well it is marked
  const charge = page.locator('tr[data-ups="rack"] [data-is=charge_percent]');
  if (!/^\d+ %estimated$/.test(await charge.textContent())) wrong(`the charge of the rack: ${await charge.textContent()}`);
  console.log("watching");
  await until(page, `document.querySelector('tr[data-ups="odd"] .badge').textContent === "On battery"`);
  console.log("outage seen");
  if (!(await page.locator("#news").textContent()).includes("odd: On battery")) wrong("no word for a screen reader");
  if (!/^41 %$/.test(await page.locator('tr[data-ups="odd"] [data-is=charge_percent]').textContent())) wrong("the charge that the UPS says is marked");
  if (!(await page.locator("#summary").textContent()).includes("to look at")) wrong(await page.locator("#summary").textContent());
  await until(ups, `document.querySelector('tr[data-name="ups.status"] [data-is=value]').textContent === "OB"`);
  await until(ups, `document.querySelector('tr[data-name="battery.charge"] [data-is=value]').textContent === "41\\u00a0%"`);
  console.log("value seen");
  // stale: its values leave the page
  await until(ups, `document.querySelector('.state .badge').textContent === "No fresh data" && !document.querySelector('tr[data-name]')`);
  const row = page.locator('tr[data-ups="odd"] [data-is=charge_percent]');
  await until(page, `document.querySelector('tr[data-ups="odd"] .badge').textContent === "No fresh data"`);
  if ((await row.textContent()) !== "") wrong(`a charge of old: ${await row.textContent()}`);
  console.log("stale seen");
  await until(ups, `document.querySelector('tr[data-name="battery.charge"]')`);
  console.log("fresh seen");
  if (faults.length > 0) wrong(faults.join("; "));
  // from here on the browser itself complains: the server is gone
  await until(page, "document.getElementById('live').textContent.startsWith('No connection to the server')");
  console.log("end seen");
  await context.close();
};

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  const below = ["history", "history?range=30d", "history?range=all", "outages", "battery"].map((part) => `ups/rack/${part}`);
  for (const view of ["./", "ups/rack", "ups/odd", ...below, ...MISSING]) {
    for (const width of [320, 1280]) {
      for (const colorScheme of ["light", "dark"]) {
        const viewport = { width, height: 800 };
        await look(browser, view, { viewport, colorScheme, javaScriptEnabled: true, reducedMotion: "reduce" });
      }
      for (const colorScheme of ["light", "dark"]) {
        await look(browser, view, { viewport: { width, height: 800 }, colorScheme, javaScriptEnabled: false });
      }
    }
  }
  await by_keyboard(browser);
  await moves(browser);
  await by_cursor(browser);
  await live(browser);
  await browser.close();
  console.log("ok");
  process.exit(0);
})().catch((error) => {
  console.log(`failed: ${error.message}`);
  process.exit(1);
});
