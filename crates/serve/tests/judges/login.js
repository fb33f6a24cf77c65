// What a browser makes of the login, the commands and the settings: ADDRESS FIRST CODE FOLDER, where FIRST is a server without users
// and CODE what stands in its log.
// Prints a line for each way through, and "ok" at the end; what is wrong ends it. JUDGES names the folder of node_modules;
// screenshots go to FOLDER.
"use strict";
const path = require("path");
const fs = require("fs");
const modules = path.join(process.env.JUDGES, "node_modules");
const { chromium } = require(path.join(modules, "playwright-core"));
const axe = fs.readFileSync(path.join(modules, "axe-core", "axe.min.js"), "utf8");

const [address, first, code, folder] = process.argv.slice(2);
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
  const [wide, room] = await page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]");
  if (wide > room) wrong(`${name} is ${wide} wide in ${room}`);
  const cut = await page.evaluate(`[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > window.innerWidth + 0.5 && !e.closest(".unseen, caption, thead")).map((e) => e.outerHTML)`);
  if (cut.length > 0) wrong(`${name}: cut off: ${cut.join(" ")}`);
  // axe is a script
  if (!options.javaScriptEnabled) return;
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

// What is refused says why, and leads on.
const refused = async (browser, options) => {
  const { page, context, faults } = await watched(browser, options, address);
  // who is not logged in comes to the login, and from there to the UPS
  await page.goto(new URL("ups/rack/order?command=load.off", address).href, { waitUntil: "load" });
  await heading(page, "Log in");
  await page.getByLabel("Name").fill("admin");
  await page.getByLabel("Password").fill("secret");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL("**/ups/rack");
  for (const [query, part] of [
    ["setting=ups.delay.start&value=3e2", "digits alone"],
    ["setting=ups.status&value=OB", "only be read"],
    ["command=nothing", "no such command"],
  ]) {
    await page.goto(new URL(`ups/rack/order?${query}`, address).href, { waitUntil: "load" });
    await heading(page, "Not sent");
    const said = await page.getByRole("alert").innerText();
    if (!said.includes(part)) wrong(`${query}: ${said}`);
    await judged(page, options, `refused-${part.replaceAll(" ", "-")}`);
    await page.getByRole("link", { name: "Back to the UPS" }).click();
    await page.waitForURL("**/ups/rack");
  }
  await context.close();
  const real = faults.filter((fault) => !/status of 4\d\d/.test(fault));
  if (real.length > 0) wrong(real.join("; "));
  console.log(`refused ${options.viewport.width} ${options.colorScheme}`);
};

// An order by the keyboard alone: from the address bar to what came of it.
const by_keyboard = async (browser) => {
  const options = { viewport: { width: 1024, height: 768 }, colorScheme: "light", javaScriptEnabled: true };
  const { page, context, faults } = await watched(browser, options, address);
  const focused = () => page.evaluate("document.activeElement.textContent || document.activeElement.name || ''");
  const tab_to = async (is_it, what) => {
    for (let step = 0; step < 200; step += 1) {
      await page.keyboard.press("Tab");
      if (!(await is_it())) continue;
      const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
      if (outline === "none") wrong(`the focus on ${what} is not seen`);
      return;
    }
    wrong(`no key leads to ${what}, but to ${await focused()}`);
  };
  const is = (text) => async () => (await focused()) === text;
  await page.goto(new URL("ups/rack", address).href, { waitUntil: "load" });
  await tab_to(is("Log in"), "the login");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/login?ups=rack");
  await tab_to(is("name"), "the name");
  await page.keyboard.type("admin");
  await tab_to(is("password"), "the password");
  await page.keyboard.type("secret");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/ups/rack");
  const row = "document.activeElement.closest('li')?.querySelector('input[type=hidden]')?.value";
  await tab_to(async () => (await page.evaluate(row)) === "beeper.toggle", "the command");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/order?**");
  await tab_to(is("Yes, send beeper.toggle"), "the answer");
  // what is there for those who see it is said to those who hear it
  const described = await page.evaluate("document.querySelector('h1').textContent");
  if (described !== "Send beeper.toggle?") wrong(described);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/outcome?**");
  await heading(page, "Done");
  await tab_to(is("Back to the UPS"), "the way back");
  await context.close();
  if (faults.length > 0) wrong(faults.join("; "));
  console.log("by keyboard");
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

// The first account is created by the code of the log, and may do something.
const created = async (browser) => {
  const options = { viewport: { width: 320, height: 800 }, colorScheme: "light", javaScriptEnabled: true };
  const { page, context, faults } = await watched(browser, options, first);
  await page.goto(new URL("login", first).href, { waitUntil: "load" });
  await page.getByLabel("Code").fill(code);
  await page.getByLabel("Name").fill("me");
  await page.getByLabel("New password").fill("long enough");
  await page.getByRole("button", { name: "Create the account" }).click();
  await page.waitForURL(first);
  await page.goto(new URL("ups/rack", first).href, { waitUntil: "load" });
  await page.getByText("Logged in as me").waitFor();
  await judged(page, options, "created");
  await context.close();
  if (faults.length > 0) wrong(faults.join("; "));
  console.log("created");
};

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  for (const width of [320, 1280]) {
    for (const colorScheme of ["light", "dark"]) {
      const options = { viewport: { width, height: 800 }, colorScheme, javaScriptEnabled: true, reducedMotion: "reduce" };
      await through(browser, options);
      await refused(browser, options);
      await the_first(browser, options);
      await through(browser, { ...options, javaScriptEnabled: false });
    }
  }
  await by_keyboard(browser);
  await created(browser);
  await browser.close();
  console.log("ok");
  process.exit(0);
})().catch((error) => {
  console.log(`failed: ${error.message}`);
  process.exit(1);
});
