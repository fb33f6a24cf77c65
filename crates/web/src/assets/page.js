// Keeps what the page shows up to date. What a UPS says goes in as text, never as markup, or in markup of the server, which
// escapes it.
"use strict";
(() => {
  const body = document.body;
  const live = document.getElementById("live");
  const news = document.getElementById("news");
  const values = document.getElementById("values");
  const began = performance.now();
  let lost = 0;

  const aged = (seconds) => {
    seconds = Math.floor(seconds);
    if (seconds < 120) return `${seconds} s ago`;
    if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
    return `${Math.floor(seconds / 86400)} days ago`;
  };
  const tenth = (value) => String(Math.round(value * 10) / 10);
  const shown = {
    charge_percent: (value) => `${tenth(value)} %`,
    load_percent: (value) => `${tenth(value)} %`,
    input_volts: (value) => `${tenth(value)} V`,
    runtime_s: (value) => {
      if (value >= 7200) return `${Math.floor(value / 3600)} h ${Math.floor((value % 3600) / 60)} min`;
      if (value >= 60) return `${Math.floor(value / 60)} min ${Math.floor(value % 60)} s`;
      return `${tenth(value)} s`;
    },
  };
  // whose word it is, where that is said
  const sources = { charge_percent: "charge_source", runtime_s: "runtime_source" };
  const quantity = (cell, text, source) => {
    const mark = text !== "" && source === "computed" ? "estimated" : "";
    if (cell.textContent === text + mark) return;
    cell.textContent = text;
    if (!mark) return;
    const small = document.createElement("small");
    small.textContent = mark;
    cell.append(small);
  };
  const put = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };
  // an age is counted on from when it was said, by a clock that does not jump
  const born = new Map();
  const say = (element, age) => {
    if (!element) return;
    if (age === null) {
      born.delete(element);
      put(element, "never");
    } else {
      born.set(element, performance.now() - age * 1000);
      put(element, aged(age));
    }
  };
  const start = (element) => {
    if (element.dataset.age !== "") born.set(element, began - Number(element.dataset.age) * 1000);
  };
  document.querySelectorAll("[data-age]").forEach(start);
  setInterval(() => {
    for (const [element, since] of born) {
      if (element.isConnected) put(element, aged((performance.now() - since) / 1000));
      else born.delete(element);
    }
    if (lost) put(live, `No connection to the server for ${Math.floor((performance.now() - lost) / 1000)} s: what stands here is old.`);
  }, 1000);

  const places = new Map();
  document.querySelectorAll("[data-ups]").forEach((element) => places.set(element.dataset.ups, element));
  const part = (element, what) => element.querySelector(`[data-is="${what}"]`);

  const count = () => {
    const rows = [...document.querySelectorAll("tr[data-ups]")];
    const kinds = [["bad", "at risk"], ["warning", "to look at"], ["unknown", "unclear"], ["good", "well"]];
    const parts = kinds
      .map(([level, words]) => [rows.filter((row) => row.dataset.level === level).length, words])
      .filter(([number]) => number > 0)
      .map(([number, words]) => `${number} ${words}`);
    put(document.getElementById("summary"), `${rows.length} in all: ${parts.join(", ") || "none"}`);
  };

  const summary = (ups) => {
    const place = places.get(ups.name);
    // a UPS that is new: its row is the server's to make
    if (!place) return location.reload();
    const badge = place.querySelector(".badge");
    if (badge.textContent !== ups.condition) {
      put(badge, ups.condition);
      put(news, `${ups.name}: ${ups.condition}`);
      badge.classList.remove("changed");
      void badge.offsetWidth;
      badge.classList.add("changed");
    }
    badge.dataset.level = ups.level;
    place.dataset.level = ups.level;
    for (const [name, text] of Object.entries(shown)) {
      const cell = part(place, name);
      if (cell) quantity(cell, ups[name] === null ? "" : text(ups[name]), ups[sources[name]]);
    }
    say(part(place, "age").querySelector(".age"), ups.age_s);
    if (place.tagName === "TR") count();
  };

  // the rows of one UPS, by the names of its variables
  let known = values && ups_names();
  function ups_names() {
    return [...values.querySelectorAll("tr[data-name]")].map((row) => row.dataset.name).sort().join("\n");
  }
  const whole = (ups) => {
    summary(ups);
    if (!values) return;
    const names = ups.variables.map((variable) => variable.name).sort().join("\n");
    if (names !== known) {
      // groups come and go with the data: the server makes them
      if (document.visibilityState === "visible") refill();
      return;
    }
    const rows = new Map([...values.querySelectorAll("tr[data-name]")].map((row) => [row.dataset.name, row]));
    for (const variable of ups.variables) {
      const row = rows.get(variable.name);
      const is_number = variable.unit && /^[-+]?[0-9.]+$/.test(variable.value);
      put(part(row, "value"), is_number ? `${variable.value}\u00a0${variable.unit}` : variable.value);
      const source = row.querySelector(".source");
      if (source) source.hidden = !variable.computed;
      say(row.querySelector(".age"), variable.age_s);
    }
  };
  let filling = false;
  const refill = async () => {
    if (filling) return;
    filling = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      const other = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("values");
      if (other) {
        values.replaceChildren(...other.childNodes);
        values.querySelectorAll("[data-age]").forEach((element) => {
          if (element.dataset.age !== "") born.set(element, performance.now() - Number(element.dataset.age) * 1000);
        });
        known = ups_names();
      }
    } catch {
      // the next event tries again
    } finally {
      filling = false;
    }
  };

  const gone = (name) => {
    const place = places.get(name);
    if (!place) return;
    if (place.tagName === "TR") {
      places.delete(name);
      place.remove();
      count();
    } else {
      put(news, `${name} is not served any more`);
      location.assign("../");
    }
  };
  const ages = (all) => {
    for (const [name, age] of Object.entries(all)) {
      const place = places.get(name);
      if (place) say(part(place, "age").querySelector(".age"), age);
    }
  };

  const connect = () => {
    const events = new EventSource(body.dataset.events);
    const on = (name, act) => events.addEventListener(name, (event) => {
      lost = 0;
      live.classList.remove("lost");
      body.classList.remove("old");
      put(live, "Live");
      act(JSON.parse(event.data));
    });
    on("summary", summary);
    on("protection", (line) => {
      const place = document.getElementById("protection");
      if (place) put(place, line);
    });
    on("ups", whole);
    on("gone", gone);
    on("ages", ages);
    events.addEventListener("error", () => {
      lost ||= performance.now();
      live.classList.add("lost");
      body.classList.add("old");
      put(live, "No connection to the server: what stands here is old.");
      // the server refused: a browser does not try again by itself
      if (events.readyState === EventSource.CLOSED) setTimeout(connect, 10000);
    });
  };
  if (places.size > 0) connect();
})();
