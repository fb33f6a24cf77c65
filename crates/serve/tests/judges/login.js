// What a browser makes of the login, the commands and the settings: ADDRESS FIRST FOLDER, where FIRST is a server without users.
// Prints a line for each way through, and "ok" at the end; what is wrong ends it. JUDGES names the folder of node_modules;
// screenshots go to FOLDER.
"use strict";
const path = require("path");
const fs = require("fs");
const modules = path.join(process.env.JUDGES, "node_modules");
const { chromium } = require(path.join(modules, "playwright-core"));
const axe = fs.readFileSync(path.join(modules, "axe-core", "axe.min.js"), "utf8");

const [address, first, folder] = process.argv.slice(2);
const wrong = (text) => {
  throw new Error(text);
};

const watched = async (browser, options, origin) => {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  const faults = [];
  page.on("console", (message) => {
    // a status of 403 is a page as well
    const is_status = message.text().startsWith("Failed to load resource: the server responded with a status of 403");
    if (["error", "warning"].includes(message.type()) && !is_status) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => faults.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(origin)) faults.push(`request to ${request.url()}`);
  });
  return { page, context, faults };
};

// Nothing is cut off or wider than the screen, and axe has nothing to say.
const judged = async (page, options, what) => {
  const name = `login-${what}-${options.viewport.width}-${options.colorScheme}${options.javaScriptEnabled ? "" : "-without-script"}`;
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
  if (!options.javaScriptEnabled) return;
  const [wide, room] = await page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]");
  if (wide > room) wrong(`${name} is ${wide} wide in ${room}`);
  const cut = await page.evaluate(`[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > window.innerWidth + 0.5 && !e.closest(".unseen, caption, thead")).map((e) => e.outerHTML)`);
  if (cut.length > 0) wrong(`${name}: cut off: ${cut.join(" ")}`);
  await page.evaluate(axe);
  const { violations } = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  for (const { id, nodes } of violations) {
    wrong(`${name}: axe says ${id} of ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join("\n")}`);
  }
};

const heading = async (page, wanted) => {
  const is = await page.locator("h1").innerText();
  if (is !== wanted) wrong(`${page.url()} is headed '${is}', not '${wanted}'`);
};

const through = async (browser, options) => {
  const { page, context, faults } = await watched(browser, options, address);
  // from the page of a UPS to the login, by the keyboard from there on
  await page.goto(new URL("ups/rack", address).href, { waitUntil: "load" });
  await page.getByRole("link", { name: "Log in" }).click();
  await heading(page, "Log in");
  await judged(page, options, "form");
  await page.getByLabel("Name").focus();
  await page.keyboard.type("admin");
  await page.keyboard.press("Tab");
  await page.keyboard.type("wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await judged(page, options, "wrong");
  if ((await page.getByLabel("Name").inputValue()) !== "admin") wrong("the name is to be typed again");
  await page.getByLabel("Password").focus();
  await page.keyboard.type("secret");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/ups/rack");
  await page.getByText("Logged in as admin").waitFor();
  await judged(page, options, "controls");
  // a command, with the question before it
  const row = page.locator("li", { has: page.locator('input[value="load.off"]') });
  await row.getByRole("button").click();
  await heading(page, "Send load.off?");
  await judged(page, options, "question");
  await page.getByRole("link", { name: "No, go back" }).click();
  await page.waitForURL("**/ups/rack");
  await page.locator("li", { has: page.locator('input[value="beeper.toggle"]') }).getByRole("button").click();
  await page.getByRole("button", { name: "Yes, send beeper.toggle" }).click();
  await heading(page, "Done");
  await judged(page, options, "done");
  // a reload of what came of it gives nothing again
  await page.reload();
  await heading(page, "Done");
  await page.getByRole("link", { name: "Back to the UPS" }).click();
  // a setting
  await page.getByLabel("ups.delay.start").fill("300");
  await page.locator("li", { has: page.locator('input[value="ups.delay.start"]') }).getByRole("button").click();
  await heading(page, "Change ups.delay.start?");
  await judged(page, options, "setting");
  await page.getByRole("button", { name: "Yes, send the new value" }).click();
  await heading(page, "Done");
  // what takes no orders
  await page.goto(new URL("login", address).href, { waitUntil: "load" });
  await judged(page, options, "inside");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL(address);
  await page.goto(new URL("ups/rack", address).href, { waitUntil: "load" });
  if (await page.getByText("Logged in as").count()) wrong("logged in after the logout");
  await context.close();
  if (faults.length > 0) wrong(faults.join("; "));
  console.log(`through ${options.viewport.width} ${options.colorScheme} ${options.javaScriptEnabled}`);
};

const the_first = async (browser, options) => {
  const { page, context, faults } = await watched(browser, options, first);
  await page.goto(new URL("login", first).href, { waitUntil: "load" });
  await judged(page, options, "first");
  await page.getByLabel("Code").fill("wrong");
  await page.getByLabel("Name").fill("me");
  await page.getByLabel("New password").fill("long enough");
  await page.getByRole("button", { name: "Create the account" }).click();
  await page.getByRole("alert").waitFor();
  await judged(page, options, "first-wrong");
  await context.close();
  if (faults.length > 0) wrong(faults.join("; "));
  console.log(`first ${options.viewport.width} ${options.colorScheme}`);
};

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  for (const width of [320, 1280]) {
    for (const colorScheme of ["light", "dark"]) {
      const options = { viewport: { width, height: 800 }, colorScheme, javaScriptEnabled: true, reducedMotion: "reduce" };
      await through(browser, options);
      await the_first(browser, options);
    }
    await through(browser, { viewport: { width, height: 800 }, colorScheme: "light", javaScriptEnabled: false });
  }
  await browser.close();
  console.log("ok");
  process.exit(0);
})().catch((error) => {
  console.log(`failed: ${error.message}`);
  process.exit(1);
});
